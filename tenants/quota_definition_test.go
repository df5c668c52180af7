package tenants_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/ratelimit"
	"causeway/tenants"
)

func define(resource, unit string, quota int64) tenants.QuotaDefinition {
	return tenants.QuotaDefinition{ResourceName: resource, Unit: unit, Quota: quota}
}

// What the gateway can count it takes; everything else is handed on unread.
func TestQuota_VCD56_CountedAndHanded(t *testing.T) {
	q, err := tenants.NewQuota([]tenants.QuotaDefinition{
		define("requests", "PER_MINUTE", 60),
		define("memory", "MB", 4096),
		define("concurrentRequests", "", 4),
		{ResourceType: "bytes", Unit: "PER_DAY", Quota: 1 << 30}, // some clients name it here
		{ResourceType: "storage", Unit: "MB", Quota: -1, Qualifiers: []string{"gold", "Größe \U0001F600"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := ratelimit.Quota{Requests: 60, RequestsPer: time.Minute, Concurrent: 4, Bytes: 1 << 30, BytesPer: 24 * time.Hour}
	if q.Quota != want {
		t.Errorf("counted: %+v", q.Quota)
	}
	const handed = `[{"quotaResourceName":"memory","resourceType":"","quotaResourceUnit":"MB","quota":4096,"qualifiers":[]},` +
		`{"quotaResourceName":"","resourceType":"storage","quotaResourceUnit":"MB","quota":-1,"qualifiers":["gold","Gr\u00f6\u00dfe \ud83d\ude00"]}]`
	if q.Handed != handed {
		t.Errorf("handed: %s", q.Handed)
	}
	if none, err := tenants.NewQuota(nil); none != nil || err != nil {
		t.Errorf("no definitions: %v, %v", none, err)
	}
}

func TestQuota_VCD55_BadDefinitions(t *testing.T) {
	for name, list := range map[string][]tenants.QuotaDefinition{
		"no name":              {{Quota: 1}},
		"zero of ours":         {define("requests", "PER_MINUTE", 0)},
		"unlimited of ours":    {define("bytes", "PER_MINUTE", -1)},
		"negative":             {define("memory", "MB", -2)},
		"beyond any sum":       {define("memory", "MB", 1<<62)},
		"beyond any sum, ours": {define("requests", "PER_DAY", 1<<62)},
		"no unit":              {define("requests", "", 1)},
		"a unit of another":    {define("bytes", "MB", 1)},
		"unit in small":        {define("requests", "per_day", 1)},
		"unit too many":        {define("concurrentRequests", "PER_DAY", 1)},
		"twice":                {define("requests", "PER_DAY", 1), define("requests", "PER_HOUR", 1)},
		"qualified":            {{ResourceName: "requests", Unit: "PER_DAY", Quota: 1, Qualifiers: []string{"greeting"}}},
		"not UTF-8":            {define("mem\xffory", "MB", 1)},
		"a line break":         {define("memory\r\nX-Evil: 1", "MB", 1)},
		"a megabyte":           {define(strings.Repeat("m", 1<<20), "MB", 1)},
		"a bad qualifier":      {{ResourceName: "memory", Quota: 1, Qualifiers: []string{"a\x00"}}},
		"too many":             many(65, "m"),
		"too long together":    many(60, strings.Repeat("m", 120)),
		"too long when ASCII":  many(30, strings.Repeat("é", 60)),
	} {
		if _, err := tenants.NewQuota(list); !problem.Has(err, problem.BadRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tenants.NewQuota(many(30, "memory")); err != nil {
		t.Errorf("the same name with other qualifiers is the instance's business: %v", err)
	}
}

func many(n int, name string) (list []tenants.QuotaDefinition) {
	for range n {
		list = append(list, define(name, "MB", 1))
	}
	return list
}

// Whatever definitions a client sends, what is accepted fits a header, says the
// same when read back, and is never looser than asked.
func FuzzNewQuota(f *testing.F) {
	f.Add(`[{"quotaResourceName":"requests","quotaResourceUnit":"PER_HOUR","quota":3}]`)
	f.Add(`[{"resourceType":"bytes","quotaResourceUnit":"PER_DAY","quota":9},{"quotaResourceName":"memory","quota":-1,"qualifiers":["é","\u0000"]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		var list []tenants.QuotaDefinition
		if json.Unmarshal([]byte(text), &list) != nil {
			return
		}
		q, err := tenants.NewQuota(list)
		if err != nil {
			if !problem.Has(err, problem.BadRequest) {
				t.Fatalf("%v", err)
			}
			return
		}
		stored, err := tenants.MarshalDefinitions(list)
		if err != nil {
			t.Fatal(err)
		}
		again, err := tenants.ParseQuota(stored)
		if err != nil || !reflect.DeepEqual(q, again) {
			t.Fatalf("%+v is read back as %+v, %v", q, again, err)
		}
		if q == nil {
			return
		}
		if q.Handed != "" && (!json.Valid([]byte(q.Handed)) || len(q.Handed) > 4096) {
			t.Errorf("handed %q", q.Handed)
		}
		if strings.ContainsFunc(q.Handed, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("this does not fit a header: %q", q.Handed)
		}
		if q.Requests < 0 || q.Bytes < 0 || q.Concurrent < 0 || q.Requests > 0 && q.RequestsPer <= 0 || q.Bytes > 0 && q.BytesPer <= 0 {
			t.Errorf("cannot be counted: %+v", q)
		}
	})
}
