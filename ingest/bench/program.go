package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ketnoi/ketnoi/engine"
)

// command is the program, about this world's store.
func (w *world) command(args ...string) *exec.Cmd {
	c := exec.Command(w.binary, append([]string{"--store", w.address}, args...)...)
	c.Dir = w.dir
	return c
}

// ran runs the program to its end and returns how long that took, and the most memory it held.
func (w *world) ran(args ...string) (took time.Duration, memory int64, err error) {
	c := w.command(args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	began := time.Now()
	if err := c.Run(); err != nil {
		return 0, 0, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out.String())
	}
	took = time.Since(began)
	if usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		memory = usage.Maxrss << 10
	}
	return took, memory, nil
}

// use makes the provider's model the store's.
func (w *world) use() error {
	_, _, err := w.ran("reindex", "--model", w.provider.model, "--url", w.provider.url, "--batch", fmt.Sprint(w.batch), "--concurrency", fmt.Sprint(w.concurrency), "--timeout", "5s", "--window", "8192")
	return err
}

// server is the program as it serves.
type server struct {
	*exec.Cmd
	url string
}

// serve starts the program as a server and waits until it takes connections.
func (w *world) serve() (*server, error) {
	c := w.command("serve", "--addr", "127.0.0.1:0")
	var out lines
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if m := regexp.MustCompile(`on (http://127\.0\.0\.1:\d+)`).FindStringSubmatch(out.String()); m != nil {
			return &server{c, m[1]}, nil
		}
	}
	_ = c.Process.Kill()
	return nil, fmt.Errorf("the server does not start:\n%s", out.String())
}

func (s *server) stop() {
	_ = s.Process.Signal(syscall.SIGTERM)
	_ = s.Wait()
}

// lines is a buffer that is written and read at once.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// ask asks a server for recommendations.
func (s *server) ask(q engine.Query) (*engine.Answer, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	resp, err := http.Post(s.url+"/v1/recommendations", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d: %.200s", resp.StatusCode, text)
	}
	a := new(engine.Answer)
	return a, json.Unmarshal(text, a)
}

// load asks a server without a pause, by several at once, until its context is done.
type load struct {
	mu        sync.Mutex
	wait      sync.WaitGroup
	stop      context.CancelFunc
	answered  int
	degraded  int
	failed    int
	firstFail error
	by        map[string]int // answers by the model that gave them
	took      []time.Duration
	see       func(*engine.Answer)
}

func (s *server) load(queries func(i int) engine.Query, see func(*engine.Answer)) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{stop: stop, by: map[string]int{}, see: see}
	for k := range 4 {
		l.wait.Go(func() {
			for i := k; ctx.Err() == nil; i += 4 {
				began := time.Now()
				a, err := s.ask(queries(i))
				l.count(a, err, time.Since(began))
			}
		})
	}
	return l
}

func (l *load) count(a *engine.Answer, err error, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		if l.failed++; l.firstFail == nil {
			l.firstFail = err
		}
		return
	}
	l.answered++
	l.by[a.Model]++
	l.took = append(l.took, took)
	if a.Degraded {
		l.degraded++
	}
	if l.see != nil {
		l.see(a)
	}
}

func (l *load) end() {
	l.stop()
	l.wait.Wait()
}
