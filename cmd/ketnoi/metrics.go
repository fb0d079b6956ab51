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
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}
