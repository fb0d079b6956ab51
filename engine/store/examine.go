package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/ketnoi/ketnoi/engine/store/health"
	"github.com/ketnoi/ketnoi/engine/store/postgres"
	"github.com/ketnoi/ketnoi/engine/store/sqlite"
)

// Examine looks at the store at an address and says what it finds. Unlike Open it changes nothing and makes nothing, so
// it also tells why a store does not open. It fails where it cannot look at all.
func Examine(ctx context.Context, address string, o health.Options) (health.List, error) {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	scheme, rest, ok := strings.Cut(address, ":")
	switch {
	case ok && scheme == "sqlite":
		return sqlite.Examine(ctx, rest, o)
	case ok && (scheme == "postgres" || scheme == "postgresql"):
		return postgres.Examine(ctx, address, o)
	}
	return nil, fmt.Errorf("store %q: %s", address, want)
}
