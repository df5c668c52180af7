package site

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"causeway/federation/gossip"
)

// poolCollector shows both pools, at zero where there is none.
type poolCollector struct{ site *Site }

func poolDesc(name, help string, more ...string) *prometheus.Desc {
	return prometheus.NewDesc("causeway_gossip_"+name, help, append([]string{"pool"}, more...), nil)
}

var (
	poolMembers   = poolDesc("members", "Members of the pool that are alive as this cell sees it, itself not counted.")
	poolRejected  = poolDesc("rejected_total", "What members said that was refused; all zero again when a cell begins to speak.")
	poolConflicts = poolDesc("conflicts_total", "Claims to the name of another member: one behind two addresses, or somebody with the key who plays it.")
	poolUnjoined  = poolDesc("join_failures_total", "Attempts to join a seed or an absent member that failed.")
	poolHints     = poolDesc("hints_total", "Hints heard from members.")
	poolSpeaking  = poolDesc("speaking", "1 while this cell takes part in the pool, else 0.")
	poolKey       = poolDesc("key_info", "Keys of the pool by fingerprint; the primary one encrypts. Always 1.", "fingerprint", "primary")
)

func (poolCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{poolMembers, poolRejected, poolConflicts, poolUnjoined, poolHints, poolSpeaking, poolKey} {
		ch <- d
	}
}

func (c poolCollector) Collect(ch chan<- prometheus.Metric) {
	if g := c.site.gossip; g == nil {
		collectPool(ch, "sites", gossip.Stats{}, false, nil)
	} else {
		collectPool(ch, "sites", g.Stats(), g.speaks.Load() != nil, g.keys())
	}
	if p := c.site.cellPool; p == nil {
		collectPool(ch, "cells", gossip.Stats{}, false, nil)
	} else {
		collectPool(ch, "cells", p.Stats(), p.Addr() != "", p.Keys())
	}
}

func collectPool(ch chan<- prometheus.Metric, pool string, s gossip.Stats, speaking bool, keys []string) {
	one := func(d *prometheus.Desc, t prometheus.ValueType, v float64, more ...string) {
		ch <- prometheus.MustNewConstMetric(d, t, v, append([]string{pool}, more...)...)
	}
	one(poolMembers, prometheus.GaugeValue, float64(s.Members))
	one(poolRejected, prometheus.CounterValue, float64(s.Rejected))
	one(poolConflicts, prometheus.CounterValue, float64(s.Conflicts))
	one(poolUnjoined, prometheus.CounterValue, float64(s.Unjoined))
	one(poolHints, prometheus.CounterValue, float64(s.Hints))
	on := 0.0
	if speaking {
		on = 1
	}
	one(poolSpeaking, prometheus.GaugeValue, on)
	for i, k := range keys {
		one(poolKey, prometheus.GaugeValue, 1, k, strconv.FormatBool(i == 0))
	}
}
