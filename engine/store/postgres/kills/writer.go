package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/store"
)

// The program runs itself again as the process that writes; this tells it where, and the seed and the step from which
// each writer goes on.
const (
	addressVariable = "KETNOI_KILLS_ADDRESS"
	fromVariable    = "KETNOI_KILLS_FROM"
)

// write is the process that writes, until it is killed. It says on its output what is done.
func write(ctx context.Context, address, from string) error {
	var numbers []uint64
	for _, f := range strings.Fields(from) {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return err
		}
		numbers = append(numbers, n)
	}
	if len(numbers) != 1+writers {
		return errors.New("bad " + fromVariable)
	}
	s, err := store.Open(ctx, address)
	if err != nil {
		return err
	}
	glossary.Default() // what it takes to load is no time to be killed in
	var failed error
	var wg sync.WaitGroup
	var out sync.Mutex
	fmt.Println("begin")
	for i := range writers {
		wg.Go(func() {
			for n := int(numbers[1+i]); ; n++ {
				err := newStep(numbers[0], i, n).do(ctx, s, n)
				out.Lock()
				if err != nil {
					failed = fmt.Errorf("step %d of writer %d: %w", n, i, err)
				} else if _, err = fmt.Println("done", i); err != nil { // nobody listens any more
					failed = err
				}
				out.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return failed
}

// writeAndKill starts a process that writes, kills it so long after it was started, or after it has begun to write, and
// notes what it acknowledged.
func (w *world) writeAndKill(address string, after time.Duration, early bool, r *report) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	from := fmt.Sprint(w.seed)
	for i := range w.of {
		from += fmt.Sprint(" ", w.of[i].done+1)
	}
	c := exec.Command(program)
	c.Env = append(os.Environ(), addressVariable+"="+address, fromVariable+"="+from)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	end, kill := func() { _ = c.Process.Kill() }, (*time.Timer)(nil)
	if early {
		kill = time.AfterFunc(after, end)
	}
	begun := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var writer int
		switch _, err := fmt.Sscanf(lines.Text(), "done %d", &writer); {
		case lines.Text() == "begin":
			if begun = true; !early {
				kill = time.AfterFunc(after, end)
			}
		case err != nil || writer < 0 || writer >= writers:
			end() // a line cut off by the kill cannot be: they are written whole
			return errors.Join(fmt.Errorf("the writer says %q", lines.Text()), c.Wait())
		default:
			w.advance(writer)
			w.acknowledged.Add(1)
		}
	}
	if kill == nil {
		return errors.Join(errors.New("the writer did not begin"), c.Wait())
	}
	kill.Stop()
	if err := c.Wait(); c.ProcessState.ExitCode() != -1 {
		return errors.Join(errors.New("the writer ended by itself"), err)
	}
	if begun {
		r.cut += writers
	}
	return nil
}

// writeOn writes in this process, until stop is called.
func (w *world) writeOn(ctx context.Context, s store.Store) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for ctx.Err() == nil {
				w.writing.RLock()
				st, n := w.next(i)
				w.busy.Add(1)
				err := st.do(ctx, s, n)
				w.busy.Add(-1)
				if err == nil {
					w.advance(i)
					w.acknowledged.Add(1)
				} else if ctx.Err() == nil {
					fmt.Println("a call failed and is made again:", err)
				}
				w.writing.RUnlock()
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// pause does something while no writer of this process is in the middle of a step.
func (w *world) pause(do func() error) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	return do()
}
