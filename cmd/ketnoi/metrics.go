package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics serves figures about the index and the process in Prometheus' form.
func (h *house) metrics() http.Handler {
	r := prometheus.NewRegistry()
	gauge := func(name, help string, get func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "ketnoi", Name: name, Help: help}, get))
	}
	gauge("index_lag_seconds", "How long ago the index in memory was last known to be as the store.", func() float64 { return h.desk.Load().index.Lag().Seconds() })
	gauge("index_listings", "Listings in the index in memory.", func() float64 { n, _ := h.desk.Load().index.Size(); return float64(n) })
	gauge("index_passages", "Passages in the index in memory.", func() float64 { _, n := h.desk.Load().index.Size(); return float64(n) })
	gauge("index_change", "Number of the last change of the store that is in the index.", func() float64 { return float64(h.desk.Load().index.Seq()) })
	gauge("index_answers", "1 while the index in memory answers, 0 while the database does.", func() float64 {
		if h.desk.Load().ways.byIndex() {
			return 1
		}
		return 0
	})
	gauge("embedding_available", "1 while the embedding provider answers, or is built in; 0 while it is held to be away.", func() float64 {
		if p := h.desk.Load().provider(); p == "answers" || p == "built in" {
			return 1
		}
		return 0
	})
	counter := func(name, help string, get func() int64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "ketnoi", Name: name, Help: help}, func() float64 { return float64(get()) }))
	}
	counter("embedding_requests_total", "Requests that an embedding provider answered.", h.usage.requests.Load)
	counter("embedding_tokens_total", "Tokens that it counted.", h.usage.tokens.Load)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}
