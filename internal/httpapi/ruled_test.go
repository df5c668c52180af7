package httpapi_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
)

// ruled takes nothing, and says why.
type ruled struct{}

func (*ruled) UnmarshalJSON([]byte) error {
	return problem.New(problem.Conflict, "This has rules of its own.")
}

// What a document's own rules refuse is told as they say it, and not as bad JSON.
func TestParseJSON_OwnRules(t *testing.T) {
	err := httpapi.ParseJSON(httptest.NewRequest("POST", "/", strings.NewReader(`{}`)), &ruled{})
	if p := problem.As(err); p == nil || p.Code != problem.Conflict || p.Detail != "This has rules of its own." {
		t.Errorf("got %v", err)
	}
}
