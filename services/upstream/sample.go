package upstream

import (
	"encoding/json"
	"net/http"
)

// Sample is a service to try the gateway with: it answers who it was told is
// calling. It is what `causeway dev` puts behind each site; it stores nothing.
func Sample(site string) http.Handler {
	mux := http.NewServeMux()
	answer := func(did string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]string{
				"service":      "sample",
				"site":         site,
				"did":          did,
				"organization": r.Header.Get("X-Causeway-Org-Name"),
				"principal":    r.Header.Get("X-Causeway-Principal-Name"),
				"role":         r.Header.Get("X-Causeway-Role"),
			})
		}
	}
	mux.HandleFunc("GET /sample/inventory", answer("listed the inventory"))
	mux.HandleFunc("POST /sample/reservations", answer("made a reservation"))
	mux.HandleFunc("GET /sample/audit", answer("read the audit log"))
	return mux
}

// The rights that the sample's calls need.
const (
	SampleView    = "Catalog: View Private and Shared Catalogs"
	SampleReserve = "Catalog: Add vApp from My Cloud"
	SampleAudit   = "Catalog: View ACL"
)

// SampleRules is the sample's route table.
func SampleRules() []Rule {
	return []Rule{
		{Method: http.MethodGet, Path: "/sample/inventory", Right: SampleView},
		{Method: http.MethodPost, Path: "/sample/reservations", Right: SampleReserve},
		{Method: http.MethodGet, Path: "/sample/audit", Right: SampleAudit},
	}
}
