//go:build !unix

package pgtest

import (
	"errors"
	"os/exec"
)

// Here no server is started; tests can use one that KETNOI_TEST_POSTGRES names.

type (
	watch   struct{}
	process struct{ done chan struct{} }
)

func command(string, ...string) (*exec.Cmd, error) { return nil, errors.ErrUnsupported }
func giveAway(string) error                        { return errors.ErrUnsupported }
func newWatch(string) (*watch, error)              { return nil, errors.ErrUnsupported }
func start(*exec.Cmd) (*process, error)            { return nil, errors.ErrUnsupported }
func (*watch) close() error                        { return nil }
func (*process) interrupt() error                  { return nil }
func (*process) kill() error                       { return nil }
