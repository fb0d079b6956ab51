package postgres

import (
	"bytes"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
)

// wire is a TCP proxy before a server, in which a trap can be set.
type wire struct {
	net.Listener
	server string
	trap   atomic.Pointer[trap]
}

// trap springs on a connection when its client has sent the pattern for the nth time and then more bytes.
type trap struct {
	pattern    string
	nth, after int
	left       atomic.Int32                                      // how often it still springs
	spring     func(l *link, sent []byte) (on []byte, over bool) // what is sent on, and whether that was the last
}

type link struct {
	client, server net.Conn
	trap           *trap
	seen, passed   int
	mute           atomic.Bool // the server's next answer is swallowed, and the connection closed
}

var (
	sendAndCut        = func(_ *link, sent []byte) ([]byte, bool) { return sent, true }
	cutBefore         = func(*link, []byte) ([]byte, bool) { return nil, true }
	sendAndLoseAnswer = func(l *link, sent []byte) ([]byte, bool) {
		l.mute.Store(true)
		return sent, false
	}
)

// tap puts a wire before the server at an address, and returns the address to use.
func tap(t *testing.T, address string) (*wire, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	w := &wire{Listener: l, server: u.Host}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.serve(&link{client: c})
		}
	}()
	u.Host = l.Addr().String()
	return w, u.String()
}

func (w *wire) serve(l *link) {
	defer l.client.Close()
	var err error
	if l.server, err = net.Dial("tcp", w.server); err != nil {
		return
	}
	go func() {
		defer l.client.Close()
		for buf := make([]byte, 1<<16); ; {
			n, err := l.server.Read(buf)
			if err != nil || l.mute.Load() {
				return
			}
			if _, err := l.client.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	defer l.server.Close()
	for buf := make([]byte, 1<<16); ; {
		n, err := l.client.Read(buf)
		if err != nil {
			return
		}
		sent, over := l.pass(w.trap.Load(), buf[:n])
		if _, err := l.server.Write(sent); err != nil || over {
			return
		}
	}
}

func (l *link) pass(tr *trap, sent []byte) (on []byte, over bool) {
	if l.trap != tr {
		l.trap, l.seen, l.passed = tr, 0, 0
	}
	if tr == nil {
		return sent, false
	}
	if l.seen += bytes.Count(sent, []byte(tr.pattern)); l.seen < tr.nth {
		return sent, false
	}
	if l.passed += len(sent); l.passed <= tr.after || tr.left.Add(-1) < 0 {
		return sent, false
	}
	return tr.spring(l, sent)
}

// set lays a trap that springs so often; it returns it, to ask whether it did.
func (w *wire) set(tr *trap, often int) *trap {
	tr = &trap{pattern: tr.pattern, nth: tr.nth, after: tr.after, spring: tr.spring}
	tr.left.Store(int32(often))
	w.trap.Store(tr)
	return tr
}
