package httpapi

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"causeway/internal/problem"
)

const vcloud = "http://www.vmware.com/vcloud/v1.5"

// person is a body like those of /api: attributes, references, both faces.
type person struct {
	XMLName   xml.Name    `xml:"http://www.vmware.com/vcloud/v1.5 User" json:"-"`
	Name      string      `xml:"name,attr" json:"name"`
	Kind      string      `xml:"type,attr" json:"type"`
	Full      string      `xml:"FullName" json:"fullName"`
	IsEnabled bool        `xml:"IsEnabled" json:"isEnabled"`
	Quota     int         `xml:"StoredVmQuota" json:"storedVmQuota"`
	Password  *string     `xml:"Password" json:"password"`
	Role      *personRole `xml:"Role" json:"role"`
	Groups    []string    `xml:"GroupReferences>GroupReference" json:"groups"`
}

type personRole struct {
	Href string `xml:"href,attr" json:"href"`
}

func TestParseXML(t *testing.T) {
	const head = `<?xml version="1.0" encoding="UTF-8"?>`
	for name, body := range map[string]string{
		"VCD's namespace":             `<User xmlns="` + vcloud + `" name="a"/>`,
		"a prefix":                    `<vc:User xmlns:vc="` + vcloud + `" name="a"><vc:FullName></vc:FullName></vc:User>`,
		"another namespace":           `<User xmlns="urn:other" name="a"/>`,
		"no namespace":                `<User name="a"></User>`,
		"a declaration":               head + "\n" + `<User name="a"/>` + "\n",
		"a declaration in lower case": `<?xml version='1.0' encoding='utf-8' standalone="yes" ?><User name="a"/>`,
		"a declaration of version":    `<?xml version="1.0"?><User name="a"/>`,
		"a byte order mark":           "\ufeff" + head + `<User name="a"/>`,
		"comments":                    `<!-- x --><User name="a"><!-- <FullName>b</FullName> --></User><!-- y -->`,
		"white space around":          " \r\n\t<User name=\"a\"/> \r\n\t",
		"unknown elements":            `<User name="a" more="1"><Link rel="up"><FullName>no</FullName></Link></User>`,
		"prefixed attributes":         `<User xmlns:xsi="urn:x" name="a" xsi:type="b" xsi:name="c"/>`,
		"as deep as it may be":        `<User name="a">` + nested(maxXMLDepth-1) + `</User>`,
		"as long as it may be":        `<User name="a"/>` + strings.Repeat(" ", maxDocument-len(`<User name="a"/>`)),
		"many attributes":             `<User name="a"` + attributes(maxXMLAttributes-1) + `/>`,
	} {
		t.Run(name, func(t *testing.T) {
			var p person
			err := ParseXML(post("", "/", body), &p)
			want := person{XMLName: xml.Name{Space: vcloud, Local: "User"}, Name: "a"}
			if err != nil || !reflect.DeepEqual(p, want) {
				t.Errorf("got %+v, %v", p, err)
			}
		})
	}
}

// nested is an element with more inside it, depth levels in all.
func nested(depth int) string { return strings.Repeat("<x>", depth) + strings.Repeat("</x>", depth) }

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` a%d=""`, i)
	}
	return b.String()
}

// SDKs leave out what is false or 0; a password left out means unchanged, which
// must not look like an empty one.
func TestParseXMLAbsentMeansFalse(t *testing.T) {
	for body, want := range map[string]person{
		`<User/>`: {},
		`<User><IsEnabled/><StoredVmQuota/><Password/></User>`:                                               {Password: new(string)},
		`<User><IsEnabled> true </IsEnabled><StoredVmQuota>` + "\n" + `7</StoredVmQuota></User>`:             {IsEnabled: true, Quota: 7},
		`<User><IsEnabled>1</IsEnabled><FullName> a&lt;b<![CDATA[ & <c>]]>&#x20AC;</FullName></User>`:        {IsEnabled: true, Full: " a<b & <c>€"},
		`<User><Role href="h"/><GroupReferences><GroupReference>g</GroupReference></GroupReferences></User>`: {Role: &personRole{"h"}, Groups: []string{"g"}},
	} {
		var p person
		want.XMLName = xml.Name{Space: vcloud, Local: "User"}
		if err := ParseXML(post("", "/", body), &p); err != nil || !reflect.DeepEqual(p, want) {
			t.Errorf("%s: got %+v, %v", body, p, err)
		}
	}
}

func TestParseXMLRefuses_R9(t *testing.T) {
	const one, instruction = `<User name="a"/>`, "Processing instructions are not accepted"
	const invalid, single, version = "The body is not valid XML", "The body must be one XML element User", "The XML declaration is not for version 1.0 in UTF-8"
	for name, tt := range map[string]struct{ body, want string }{
		"nothing":                              {"", "The body must be an XML element User."},
		"white space":                          {" \n", "The body must be an XML element User."},
		"a declaration only":                   {`<?xml version="1.0"?>`, "The body must be an XML element User."},
		"JSON":                                 {`{"name":"a"}`, "There is text around the XML element"},
		"another element":                      {`<AdminOrg name="a"/>`, single},
		"another case":                         {`<user name="a"/>`, single},
		"two elements":                         {one + one, single},
		"another behind":                       {one + `<Role/>`, single},
		"text behind":                          {one + "x", "There is text around the XML element"},
		"text in front":                        {"x" + one, "There is text around the XML element"},
		"a zero byte behind":                   {one + "\x00", invalid},
		"an end behind":                        {one + `</User>`, invalid},
		"cut off":                              {`<User name="a">`, invalid},
		"cut off in a tag":                     {`<User name="a`, invalid},
		"crossed":                              {`<User><a><b></a></b></User>`, invalid},
		"prefixes mixed":                       {`<a:User xmlns:a="u" xmlns:b="u"></b:User>`, invalid},
		"no quotes":                            {`<User name=a/>`, invalid},
		"an attribute twice":                   {`<User name="a" name="b"/>`, "An element has an attribute twice"},
		"an attribute twice by another prefix": {`<User xmlns:p="u" xmlns:q="u" p:a="1" q:a="2"/>`, "An element has an attribute twice"},
		"a DOCTYPE":                            {`<!DOCTYPE User>` + one, "A DOCTYPE is not accepted"},
		"a DOCTYPE behind":                     {one + `<!DOCTYPE User>`, "A DOCTYPE is not accepted"},
		"a DOCTYPE inside":                     {`<User><!DOCTYPE User></User>`, "A DOCTYPE is not accepted"},
		"an entity bomb":                       {`<!DOCTYPE User [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><User name="&b;"/>`, "A DOCTYPE is not accepted"},
		"an external entity":                   {`<!DOCTYPE User [<!ENTITY a SYSTEM "file:///etc/passwd">]><User><FullName>&a;</FullName></User>`, "A DOCTYPE is not accepted"},
		"an external DTD":                      {`<?xml version="1.0"?><!DOCTYPE User SYSTEM "https://evil.example/x.dtd">` + one, "A DOCTYPE is not accepted"},
		"an undefined entity":                  {`<User><FullName>&nbsp;</FullName></User>`, invalid},
		"an instruction":                       {`<?xml-stylesheet href="https://evil.example/"?>` + one, instruction},
		"an instruction inside":                {`<User><?php x?></User>`, instruction},
		"an instruction behind":                {one + `<?x?>`, instruction},
		"two declarations":                     {`<?xml version="1.0"?><?xml version="1.0"?>` + one, instruction},
		"a late declaration":                   {` <?xml version="1.0"?>` + one, instruction},
		"UTF-16":                               {`<?xml version="1.0" encoding="UTF-16"?>` + one, version},
		"Latin-1":                              {`<?xml version="1.0" encoding='ISO-8859-1'?>` + one, version},
		"a charset, spaced":                    {`<?xml version="1.0" encoding = "UTF-7"?>` + one, version},
		"version 1.1":                          {`<?xml version="1.1"?>` + one, version},
		"no version":                           {`<?xml encoding="UTF-8"?>` + one, version},
		"invalid UTF-8":                        {"<User name=\"\xff\"/>", "The body is not valid UTF-8."},
		"real UTF-16":                          {"\xff\xfe<\x00U\x00s\x00e\x00r\x00/\x00>\x00", "The body is not valid UTF-8."},
		"a control character":                  {"<User><FullName>\x01</FullName></User>", invalid},
		"a zero, escaped":                      {`<User name="&#0;"/>`, invalid},
		"too deep":                             {`<User>` + nested(maxXMLDepth) + `</User>`, "The XML is nested too deeply"},
		"very deep":                            {strings.Repeat("<User>", 80_000), "The XML is nested too deeply"},
		"too many attributes":                  {`<User` + attributes(maxXMLAttributes+1) + `/>`, "An element has too many attributes"},
		"no boolean":                           {`<User><IsEnabled>maybe</IsEnabled></User>`, `The element "IsEnabled" holds a value of the wrong type.`},
		"no boolean, nested":                   {`<User><IsEnabled>maybe<x/></IsEnabled></User>`, `The element "IsEnabled" holds a value of the wrong type.`},
		"no number":                            {`<User><FullName/><StoredVmQuota>1.5</StoredVmQuota></User>`, `The element "StoredVmQuota" holds a value of the wrong type.`},
		"a number too large":                   {`<User><StoredVmQuota>99999999999999999999</StoredVmQuota></User>`, `The element "StoredVmQuota" holds a value of the wrong type.`},
	} {
		t.Run(name, func(t *testing.T) {
			err := ParseXML(post("", "/", tt.body), new(person))
			wantProblem(t, err, problem.BadRequest)
			if got := problem.From(err).Detail; !strings.HasPrefix(got, tt.want) || len(got) > 120 {
				t.Errorf("the detail is %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParseXMLSaysWhere(t *testing.T) {
	err := ParseXML(post("", "/", `<User><a></b></User>`), new(person))
	if got := problem.From(err).Detail; got != "The body is not valid XML, at byte 13." {
		t.Error(got)
	}
}

func TestParseXMLIsBounded_R9(t *testing.T) {
	endless := &counting{}
	wantProblem(t, ParseXML(httptest.NewRequest("POST", "/", endless), new(person)), problem.BadRequest)
	if endless.read > 2*maxDocument {
		t.Errorf("%d bytes were read of an endless body", endless.read)
	}
	for _, body := range []string{
		`<User name="` + strings.Repeat("a", 1<<20) + `"/>`,
		`<User/>` + strings.Repeat(" ", maxDocument),
	} {
		wantProblem(t, ParseXML(post("", "/", body), new(person)), problem.BadRequest)
	}
}

// A struct that accepts any element is our mistake, and must not pass for a
// client's.
func TestParseXMLNeedsAName(t *testing.T) {
	for _, v := range []any{nil, person{}, new(string), &struct{ A string }{}, &struct {
		XMLName xml.Name
	}{}, &struct {
		XMLName xml.Name `xml:",omitempty"`
	}{}} {
		if err := ParseXML(post("", "/", `<User/>`), v); err == nil || problem.As(err) != nil {
			t.Errorf("%T: %v", v, err)
		}
	}
	plain := struct {
		XMLName xml.Name `xml:"User,omitempty"`
	}{}
	if err := ParseXML(post("", "/", `<x:User xmlns:x="`+vcloud+`"/>`), &plain); err != nil {
		t.Error(err)
	}
}

func FuzzParseXML(f *testing.F) {
	for _, s := range []string{
		"", `<User/>`, `<User xmlns="` + vcloud + `" name="a"><IsEnabled>true</IsEnabled><StoredVmQuota>1</StoredVmQuota><Role href="h"/></User>`,
		`<?xml version="1.0" encoding="UTF-8"?><a:User xmlns:a="u"/>`, `<!DOCTYPE User [<!ENTITY a "b">]><User>&a;</User>`,
		`<User><![CDATA[]]]]><![CDATA[>]]></User>`, `<User name="a" name="b"/>`, `<User/><User/>`, `<User><IsEnabled>x</IsEnabled></User>`,
		`<?xml version="1.0"?><?x?><User/>`, "\ufeff<User/>", strings.Repeat("<User>", 40), `<User xmlns:xml="" xml:a="&#xD800;"/>`, `<!--><User/>`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var p person
		begin := time.Now()
		err := ParseXML(post("", "/", body), &p)
		if took := time.Since(begin); took > 5*time.Second {
			t.Fatalf("%d bytes took %s", len(body), took)
		}
		if err != nil {
			if p := problem.From(err); p.Code != problem.BadRequest || !utf8.ValidString(p.Detail) || len(p.Detail) > 400 {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		harmlessXML(t, body)
		again, err := xml.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var q person
		if err := ParseXML(post("", "/", string(again)), &q); err != nil || !reflect.DeepEqual(p, q) {
			t.Fatalf("%q reads as %+v, and what we write of that as %+v, %v", body, p, q, err)
		}
	})
}

// harmlessXML is told by other means than those of the parser under test.
func harmlessXML(t *testing.T, body string) {
	t.Helper()
	d, depth, roots := xml.NewDecoder(strings.NewReader(body)), 0, 0
	for {
		token, err := d.RawToken()
		if err != nil {
			if !errors.Is(err, io.EOF) || roots != 1 {
				t.Fatalf("%q was accepted with %d elements: %v", body, roots, err)
			}
			return
		}
		switch token := token.(type) {
		case xml.Directive:
			t.Fatalf("%q was accepted with a directive", body)
		case xml.ProcInst:
			if token.Target != "xml" {
				t.Fatalf("%q was accepted with an instruction", body)
			}
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			if depth++; depth > maxXMLDepth || roots == 1 && depth == 1 && token.Name.Local != "User" {
				t.Fatalf("%q was accepted", body)
			}
		case xml.EndElement:
			depth--
		}
	}
}
