package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ketnoi/ketnoi/api"
	"github.com/ketnoi/ketnoi/engine"
)

func newServe(c *config) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Answer over HTTP",
		Long: `Serves POST /v1/recommendations from the store, and follows what other processes write to it within a second.
It listens on loopback addresses only, since there are no keys yet; put a proxy of yours in front, and name it
with --host.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := c.ready(cmd.Context(), os.Stderr, byBoth)
			if err != nil {
				return err
			}
			defer h.store.Close()
			return c.serve(cmd.Context(), h, byBoth, func(address string) {
				if listings, passages, err := h.size(cmd.Context()); err == nil && h.desk.Load().ways.byIndex() {
					fmt.Printf("serving %d listings (%d passages) of %s on %s\n", listings, passages, h.store.Address(), address)
				} else {
					fmt.Printf("serving %d listings of %s on %s\n", listings, h.store.Address(), address)
				}
			})
		},
	}
	c.serveFlags(cmd)
	return cmd
}

const (
	followEvery   = 250 * time.Millisecond
	shutdownGrace = 10 * time.Second
)

// serve answers until ctx is done; started is told the address once connections are taken.
func (c *config) serve(ctx context.Context, h *house, auto way, started func(address string)) error {
	listener, err := listenLoopback(c.addr)
	if err != nil {
		return err
	}
	h.exposure = new(engine.Exposure)
	h.desk.Load().rec.Exposure = h.exposure
	address := "http://" + listener.Addr().String()
	server := api.NewServer("", api.Options{Recommender: h, State: h.state, Metrics: h.metrics(), Hosts: c.hosts, Version: version, Welcome: welcome(address)})
	go h.follow(ctx, c, auto)
	go h.stand(ctx)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	started(address)
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	err = server.Shutdown(grace)
	if serveErr := <-done; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

// listenLoopback refuses addresses that other machines can reach: nothing here asks who is calling.
func listenLoopback(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("--addr %q: want HOST:PORT, such as 127.0.0.1:8080", addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("--addr %s: only loopback addresses such as 127.0.0.1:8080; there are no keys yet, so put a proxy in front", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--addr %s: %w; choose another port, or 127.0.0.1:0 for a free one", addr, err)
	}
	return l, nil
}

func welcome(address string) string {
	return `Kết Nối recommends experts and technologies for technology problems, and says why.

POST /v1/recommendations   {"text": "…", "want": ["expert", "technology"]} or {"for": "ID"}
POST /v1/recommendations:why-not   the same with {"listing": "ID"}: why it is not among them
GET  /openapi.json         everything the interface takes and answers
GET  /healthz  /readyz     is it alive, is it able
GET  /metrics              figures for Prometheus

curl -s ` + address + `/v1/recommendations -H 'Content-Type: application/json' \
  -d '{"text": "Ao tôm bị đốm trắng, cần cách phát hiện sớm", "limit": 3}'
`
}
