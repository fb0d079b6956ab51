package eval

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/go-json-experiment/json"
)

// Journal keeps the rankings of an experiment as they come, one line of JSON a topic, so that one that was stopped goes on
// where it was. A nil journal keeps nothing.
type Journal struct {
	mu   sync.Mutex
	file *os.File
	done map[string]answer
}

// OpenJournal opens or makes the journal of a file. subject says what is measured (the collection's digest, the ranker, the
// model, the store's state): a journal of something else begins anew.
func OpenJournal(path, subject string) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	j := &Journal{file: f, done: map[string]answer{}}
	at, err := j.read(subject)
	if err == nil {
		err = f.Truncate(at) // what a kill left of a line
	}
	if err == nil {
		_, err = f.Seek(at, io.SeekStart)
	}
	if err == nil && at == 0 {
		_, err = fmt.Fprintf(f, "%q\n", subject)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

// read returns where the last whole line ends, 0 if the journal is of something else.
func (j *Journal) read(subject string) (int64, error) {
	in := bufio.NewReaderSize(j.file, 1<<20)
	head, err := in.ReadBytes('\n')
	if err != nil || string(bytes.TrimSpace(head)) != fmt.Sprintf("%q", subject) {
		return 0, ignore(err, io.EOF)
	}
	at := int64(len(head))
	for {
		line, err := in.ReadBytes('\n')
		var a answer
		if err != nil || json.Unmarshal(line, &a) != nil {
			return at, ignore(err, io.EOF)
		}
		j.done[a.Topic] = a
		at += int64(len(line))
	}
}

func ignore(err, but error) error {
	if errors.Is(err, but) {
		return nil
	}
	return err
}

// Known is how many topics are done.
func (j *Journal) Known() int { return len(j.done) }

func (j *Journal) known(topic string) (answer, bool) {
	if j == nil {
		return answer{}, false
	}
	a, ok := j.done[topic]
	return a, ok
}

func (j *Journal) keep(a *answer) error {
	if j == nil {
		return nil
	}
	line, err := json.Marshal(a, json.Deterministic(true))
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err = j.file.Write(append(line, '\n'))
	return err
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }
