package tenantshttp

import (
	"encoding/xml"
	"testing"
)

// FuzzListsOfPeers: what a peer answers becomes well-formed XML or nothing.
func FuzzListsOfPeers(f *testing.F) {
	f.Add([]byte(`{"total":1,"page":1,"pageSize":25,"record":[{"_type":"x","name":"a<b","isEnabled":true,"n":1.5,"o":{}}]}`))
	f.Add([]byte(`{"total":1,"record":[{"a b":"x","xmlns:y":"z","a\u0000":"\u0000"},null,7]}`))
	f.Add([]byte(`{"org":[{"href":"x"},null]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if a, err := (queryAnswers{"record"}).Decode(body, "name"); err == nil {
			for _, r := range recordsOf("UserRecord", a.Rows) {
				text, err := xml.Marshal(r)
				if err != nil || xml.Unmarshal(text, new(struct{})) != nil {
					t.Fatalf("%v: %s", err, text)
				}
			}
		}
		if a, err := (orgAnswers{}).Decode(body, ""); err == nil && a.Total < 0 {
			t.Fatal("less than nothing")
		}
	})
}
