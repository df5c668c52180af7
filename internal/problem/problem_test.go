package problem

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// codes are the constants of type Code, as they stand in the source: a list
// here would not miss what somebody adds there.
func codes(t *testing.T) (all []Code) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "problem.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			if kind, ok := v.Type.(*ast.Ident); !ok || kind.Name != "Code" {
				t.Fatalf("%s is a constant, but no Code by its own word: this test would miss it", v.Names[0].Name)
			}
			for _, value := range v.Values {
				text, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, Code(text))
			}
		}
	}
	return all
}

func TestEveryCodeHasARow(t *testing.T) {
	all := codes(t)
	if len(all) < 28 {
		t.Fatalf("only %d codes were found", len(all))
	}
	for _, c := range all {
		if row, ok := rows[c]; !ok {
			t.Errorf("%s has no row", c)
		} else if row != c.Row() {
			t.Errorf("%s looks like %+v, its row is %+v", c, c.Row(), row)
		}
	}
	if len(rows) != len(all) {
		t.Errorf("%d rows for %d codes", len(rows), len(all))
	}
}

func TestRows(t *testing.T) {
	for c, row := range rows {
		if row.Status < 400 || row.Status > 599 || http.StatusText(row.Status) == "" {
			t.Errorf("%s has status %d", c, row.Status)
		}
		// The SDK throws their bodies away.
		if slices.Contains([]int{http.StatusUnprocessableEntity, http.StatusNotImplemented, http.StatusBadGateway}, row.Status) {
			t.Errorf("%s has status %d, whose body no client reads", c, row.Status)
		}
		if row.Minor == "" || row.OAuth == "" || row.OAuth != strings.ToLower(row.OAuth) {
			t.Errorf("%s lacks a word in one of the vocabularies: %+v", c, row)
		}
	}
}

// What is not there looks like what one may not see.
func TestRows_R6_AbsentLooksForbidden(t *testing.T) {
	if NotFound.Row() != Forbidden.Row() {
		t.Errorf("not found is %+v, forbidden %+v", NotFound.Row(), Forbidden.Row())
	}
	if h := Hidden(); h.Code != NotFound || h.Detail == "" || h.RetryAfter != 0 {
		t.Errorf("hidden is %+v", h)
	}
}

// A thief who replays a token learns nothing that an unlucky client does not.
func TestRows_R1_ReplayLooksInvalid(t *testing.T) {
	if Replayed.Row() != InvalidGrant.Row() {
		t.Errorf("replayed is %+v, invalid grant %+v", Replayed.Row(), InvalidGrant.Row())
	}
}

// TestRows_VCD16_TheWordsOfRFC8628: what device clients branch on (§3.5).
func TestRows_VCD16_TheWordsOfRFC8628(t *testing.T) {
	for _, word := range []string{"authorization_pending", "slow_down", "access_denied", "expired_token"} {
		want := Row{http.StatusBadRequest, word, word}
		if got := Code(word).Row(); got != want {
			t.Errorf("%s is %+v, want %+v", word, got, want)
		}
	}
}

func TestUnknownCodeIsInternal(t *testing.T) {
	if got := Code("invented").Row(); got != Internal.Row() || got.Status != http.StatusInternalServerError {
		t.Errorf("an unknown code is %+v", got)
	}
}

func TestFrom_HidesWhatIsNoProblem(t *testing.T) {
	cause := errors.New("password of the database is hunter2")
	p := From(cause)
	if p.Code != Internal || strings.Contains(p.Detail, "hunter2") || !errors.Is(p, cause) {
		t.Errorf("the client is shown %q as %s", p.Detail, p.Code)
	}
	own := New(Conflict, "Two of %s.", "them").After(time.Second)
	if got := From(fmt.Errorf("wrapped: %w", own)); got != own {
		t.Errorf("a problem in a chain became %v", got)
	}
	if own.Detail != "Two of them." || own.RetryAfter != time.Second {
		t.Errorf("made %+v", own)
	}
}

func TestHas(t *testing.T) {
	wrapped := Wrap(New(NotFound, "inner"), Unavailable, "outer")
	for _, tt := range []struct {
		err  error
		code Code
		want bool
	}{
		{nil, NotFound, false},
		{errors.New("other"), NotFound, false},
		{New(NotFound, "x"), NotFound, true},
		{New(NotFound, "x"), Forbidden, false},
		{fmt.Errorf("y: %w", New(NotFound, "x")), NotFound, true},
		{wrapped, Unavailable, true}, // the outermost decides: it is what the client sees
		{wrapped, NotFound, false},
	} {
		if got := Has(tt.err, tt.code); got != tt.want {
			t.Errorf("%v has %s: %v", tt.err, tt.code, got)
		}
	}
}
