package postgres_test

import (
	"testing"

	"github.com/ketnoi/ketnoi/engine/store"
	"github.com/ketnoi/ketnoi/engine/store/postgres/pgtest"
	"github.com/ketnoi/ketnoi/engine/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, store.Open, pgtest.Shared(t).Database)
}
