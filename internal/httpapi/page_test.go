package httpapi

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"causeway/internal/fiql"
	"causeway/internal/problem"
	"causeway/tenants"
)

func TestNewPage(t *testing.T) {
	for _, tt := range []struct{ total, page, size, pages int }{
		{0, 1, 25, 0}, {1, 1, 25, 1}, {25, 1, 25, 1}, {26, 1, 25, 2}, {53, 2, 32, 2}, {3, 7, 1, 3},
	} {
		p := NewPage([]string(nil), tt.total, tt.page, tt.size)
		if p.ResultTotal != tt.total || p.PageCount != tt.pages || p.Page != tt.page || p.PageSize != tt.size || p.Values == nil {
			t.Errorf("%+v gave %+v", tt, p)
		}
	}
}

func TestWritePage(t *testing.T) {
	const host, path = "https://east.example", "/cloudapi/1.0.0/serviceAccounts/"
	link := func(page, size, more, rel string) string {
		return `<` + host + path + `?` + more + `page=` + page + `&pageSize=` + size + `>;rel="` + rel + `";type="application/json";model="ServiceAccounts"`
	}
	for _, tt := range []struct {
		name, query       string
		total, page, size int
		want              []string
	}{
		{"empty", "", 0, 1, 25, nil},
		{"one page", "", 3, 1, 25, []string{link("1", "25", "", "firstPage"), link("1", "25", "", "lastPage")}},
		{"the first of three", "?pageSize=1", 3, 1, 1, []string{link("1", "1", "", "firstPage"), link("3", "1", "", "lastPage"), link("2", "1", "", "nextPage")}},
		{"the second of three", "?page=2&pageSize=1", 3, 2, 1, []string{link("1", "1", "", "firstPage"), link("3", "1", "", "lastPage"), link("1", "1", "", "previousPage"), link("3", "1", "", "nextPage")}},
		{"the last of three", "?page=3&pageSize=1", 3, 3, 1, []string{link("1", "1", "", "firstPage"), link("3", "1", "", "lastPage"), link("2", "1", "", "previousPage")}},
		{"just behind the last", "?page=4&pageSize=1", 3, 4, 1, []string{link("1", "1", "", "firstPage"), link("3", "1", "", "lastPage"), link("3", "1", "", "previousPage")}},
		{"far behind the last", "?page=9&pageSize=1", 3, 9, 1, []string{link("1", "1", "", "firstPage"), link("3", "1", "", "lastPage")}},
		{"a filter with semicolons goes along", "?filter=a==1;b==2&pageSize=2", 3, 1, 2, []string{
			link("1", "2", "filter=a%3D%3D1%3Bb%3D%3D2&", "firstPage"), link("2", "2", "filter=a%3D%3D1%3Bb%3D%3D2&", "lastPage"), link("2", "2", "filter=a%3D%3D1%3Bb%3D%3D2&", "nextPage")}},
		{"a size that was cut is the one that counts", "?pageSize=999", 3, 1, 2, []string{link("1", "2", "", "firstPage"), link("2", "2", "", "lastPage"), link("2", "2", "", "nextPage")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, w := newContext(t, "GET", path+tt.query, nil)
			c.Request.Host = "evil.example" // links are never built on what a client says
			WritePage(c, host, "ServiceAccounts", NewPage([]int{}, tt.total, tt.page, tt.size))
			if got, want := w.Header().Get("Link"), strings.Join(tt.want, ","); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

// A page behind the end is no error: it is empty, and its numbers lead back.
func TestWritePageBehindTheEnd(t *testing.T) {
	c, w := newContext(t, "GET", "/cloudapi/1.0.0/roles?page=7&pageSize=2", nil)
	WritePage(c, "https://h", "Roles", NewPage([]int(nil), 5, 7, 2))
	const want = `{"resultTotal":5,"pageCount":3,"page":7,"pageSize":2,"associations":null,"values":[]}` + "\n"
	if w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Following nextPage from the first page visits every page once, as SDKs do, and
// the filter goes along unchanged.
func TestNextPageVisitsAll(t *testing.T) {
	fields := fiql.Fields{"name": {Column: "name"}, "status": {Column: "status"}}
	next, seen := "/cloudapi/x?filter=name==a+b;status==%25c&pageSize=2", 0
	for next != "" && seen < 10 {
		c, w := newContext(t, "GET", next, nil)
		l, err := ParseList(c.Request, fields, 32)
		if err != nil {
			t.Fatal(err)
		}
		if seen++; l.Page != seen || l.PageSize != 2 || !slices.Equal(l.Args, []any{"a b", "%c"}) {
			t.Fatalf("page %d is %+v", seen, l)
		}
		WritePage(c, "https://h", "X", NewPage([]int{}, 5, l.Page, l.PageSize))
		next = rel(w.Header().Get("Link"), "nextPage")
	}
	if seen != 3 {
		t.Errorf("%d pages seen, want 3", seen)
	}
}

func rel(links, name string) string {
	for l := range strings.SplitSeq(links, ",<") {
		if target, found := strings.CutSuffix(strings.SplitN(strings.TrimPrefix(l, "<"), ";type", 2)[0], `>;rel="`+name+`"`); found {
			return strings.TrimPrefix(target, "https://h")
		}
	}
	return ""
}

func TestParseList(t *testing.T) {
	fields := fiql.Fields{"name": {Column: "col_name"}, "id": {Column: "col_id", Kind: fiql.URN, URN: "x"}, "status": {Column: "col_status"}}
	for _, tt := range []struct {
		query string
		want  *tenants.Query // nil: refused
	}{
		{"", &tenants.Query{Page: 1, PageSize: 25}},
		{"page=3&pageSize=7", &tenants.Query{Page: 3, PageSize: 7}},
		{"&page=2", &tenants.Query{Page: 2, PageSize: 25}},
		{"pageSize=128", &tenants.Query{Page: 1, PageSize: 32}}, // cut, and echoed cut
		{"page=&pageSize=", &tenants.Query{Page: 1, PageSize: 25}},
		{"sortAsc=name", &tenants.Query{Page: 1, PageSize: 25, SortBy: "col_name"}},
		{"sortDesc=status", &tenants.Query{Page: 1, PageSize: 25, SortBy: "col_status", Desc: true}},
		{"filter=name==a", &tenants.Query{Page: 1, PageSize: 25, Where: "col_name = ?", Args: []any{"a"}}},
		{"filter=name%3D%3Da&filterEncoded=true", &tenants.Query{Page: 1, PageSize: 25, Where: "col_name = ?", Args: []any{"a"}}},
		{"filter=name%3D%3Da%2525b&filterEncoded=true", &tenants.Query{Page: 1, PageSize: 25, Where: "col_name = ?", Args: []any{"a%25b"}}},
		{"filter=name%3D%3Da&filterEncoded=false", &tenants.Query{Page: 1, PageSize: 25, Where: "col_name = ?", Args: []any{"a"}}},
		{"sortAsc=&sortDesc=name&links=true&fields=name,id&format=records", &tenants.Query{Page: 1, PageSize: 25, SortBy: "col_name", Desc: true}},
		{"page=1048576&pageSize=1048576", &tenants.Query{Page: 1048576, PageSize: 32}},
		{"unknown=1&links=true", &tenants.Query{Page: 1, PageSize: 25}},
		{"page=0", nil}, {"page=-1", nil}, {"page=x", nil}, {"page=1.5", nil}, {"page=1048577", nil},
		{"page=99999999999999999999", nil}, {"page=%zz", nil},
		{"pageSize=0", nil}, {"pageSize=-5", nil}, {"pageSize=many", nil}, {"pageSize=1048577", nil}, {"pageSize=99999999999999999999", nil},
		{"sortAsc=unknown", nil}, {"sortAsc=col_name", nil}, {"sortAsc=name;DROP", nil}, {"sortAsc=id", nil},
		{"sortAsc=name&sortDesc=name", nil},
		{"filter=unknown==1", nil}, {"filter=name", nil}, {"filter=(name==a", nil}, {"filter=name=gt=a", nil}, {"filter=id==1", nil},
	} {
		got, err := ParseList(httptest.NewRequest(http.MethodGet, "/x?"+tt.query, nil), fields, 32)
		if tt.want == nil {
			if !problem.Has(err, problem.BadRequest) {
				t.Errorf("%s: %+v, %v, want a refusal", tt.query, got, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, *tt.want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", tt.query, got, err, *tt.want)
		}
	}
}

func FuzzParseList(f *testing.F) {
	for _, s := range []string{"", "page=1&pageSize=2", "filter=name==a;b==c", "sortAsc=name", "page=-0", "filter=((", "&page=%31"} {
		f.Add(s)
	}
	fields := fiql.Fields{"name": {Column: "name"}, "count": {Column: "count", Kind: fiql.Int}}
	f.Fuzz(func(t *testing.T, query string) {
		l, err := ParseList(&http.Request{URL: &url.URL{RawQuery: query}}, fields, 32)
		if err != nil {
			wantProblem(t, err, problem.BadRequest)
			return
		}
		if l.Page < 1 || l.PageSize < 1 || l.PageSize > 32 || l.Page*l.PageSize < 0 {
			t.Fatalf("%q: %+v", query, l)
		}
		if l.SortBy != "" && l.SortBy != "name" && l.SortBy != "count" {
			t.Fatalf("%q sorts by %q", query, l.SortBy)
		}
		if strings.Count(l.Where, "?") != len(l.Args) {
			t.Fatalf("%q: %q with %d arguments", query, l.Where, len(l.Args))
		}
	})
}
