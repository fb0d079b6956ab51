//go:build unix

package pgtest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// command is a program in a session of its own, where no key pressed in a terminal reaches it. PostgreSQL refuses to be
// root, so where we are, the program is somebody else.
func command(name string, args ...string) (*exec.Cmd, error) {
	c := exec.Command(name, args...)
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Getuid() == 0 {
		uid, gid, err := other()
		if err != nil {
			return nil, err
		}
		c.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return c, nil
}

func other() (uid, gid int, err error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return 0, 0, err
		}
	}
	if uid, err = strconv.Atoi(u.Uid); err == nil {
		gid, err = strconv.Atoi(u.Gid)
	}
	return uid, gid, err
}

// giveAway makes a file that of the user whom commands run as.
func giveAway(path string) error {
	if os.Getuid() != 0 {
		return nil
	}
	uid, gid, err := other()
	if err != nil {
		return err
	}
	return os.Chown(path, uid, gid)
}

// watch is a process that outlives ours by a moment: when its input ends, because we closed it or are no more, it ends
// the server and removes its folder.
type watch struct {
	cmd   *exec.Cmd
	input io.Closer
}

// The file goes when the server has ended; its process may stay listed where nobody asks how it ended.
const watchScript = `
cat > /dev/null
file=$1/data/postmaster.pid
if pid=$(head -n 1 "$file") && kill -QUIT "$pid" && kill -CONT "$pid"; then
  i=0
  while [ $i -lt 200 ] && [ -e "$file" ]; do i=$((i + 1)); sleep 0.05; done
fi 2> /dev/null
rm -rf "$1"
`

func newWatch(dir string) (*watch, error) {
	if err := giveAway(dir); err != nil {
		return nil, err
	}
	c, err := command("/bin/sh", "-c", watchScript, "sh", dir)
	if err != nil {
		return nil, err
	}
	c.Dir = "/"
	input, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &watch{c, input}, c.Start()
}

func (w *watch) close() error {
	_ = w.input.Close()
	return w.cmd.Wait()
}

// process is a running postmaster.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

func start(c *exec.Cmd) (*process, error) {
	if err := c.Start(); err != nil {
		return nil, err
	}
	p := &process{c, make(chan struct{})}
	go func() {
		_ = c.Wait() // however it ended
		close(p.done)
	}()
	return p, nil
}

// interrupt asks for what PostgreSQL calls a fast shutdown.
func (p *process) interrupt() error {
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-p.done:
		return nil
	case <-time.After(patience):
		_ = p.kill()
		return fmt.Errorf("the server did not stop within %s and was killed", patience)
	}
}

// kill ends the children first, while the postmaster is held: it can neither start more nor tell them what happens, and
// what they shared is free when it goes.
func (p *process) kill() error {
	_ = p.cmd.Process.Signal(syscall.SIGSTOP)
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		left := children(p.cmd.Process.Pid)
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %v of the server cannot be killed", left)
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	_ = p.cmd.Process.Kill()
	<-p.done
	return nil
}

// children lists the living children of a process.
func children(parent int) []int {
	var pids []int
	add := func(pid, state, ppid string) {
		if ppid == strconv.Itoa(parent) && state[0] != 'Z' {
			if n, err := strconv.Atoi(pid); err == nil {
				pids = append(pids, n)
			}
		}
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		// The name of the program, in brackets, may hold anything.
		if after := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])); len(after) > 1 {
			add(filepath.Base(filepath.Dir(path)), after[0], after[1])
		}
	}
	if len(stats) == 0 { // a system without /proc
		out, _ := exec.Command("ps", "-A", "-o", "pid=,state=,ppid=").Output()
		for line := range strings.Lines(string(out)) {
			if f := strings.Fields(line); len(f) == 3 {
				add(f[0], f[1], f[2])
			}
		}
	}
	return pids
}
