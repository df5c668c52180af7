package trail

import (
	"encoding/json"
	"net/netip"
	"strconv"

	"causeway/internal/cef"
)

// CEF is r as a line of the Common Event Format, without its end. version is the
// gateway's. The custom fields have labels beside them, as the format wants it.
func (r Record) CEF(version string) string {
	e := r.Entry
	subject := e.Subject.Name
	if subject == "" {
		subject = e.Subject.ID
	}
	fields := []cef.Field{
		{Key: "rt", Value: strconv.FormatInt(e.At.UnixMilli(), 10)},
		{Key: "externalId", Value: strconv.FormatInt(r.Seq, 10)},
		{Key: "act", Value: string(e.Action)},
		{Key: "outcome", Value: "success"}, // what was refused changed nothing, and is no row
		{Key: "suid", Value: e.Actor.ID},
		{Key: "suser", Value: e.Actor.Name},
		{Key: "spriv", Value: e.Actor.Kind},
		{Key: "msg", Value: string(e.Action) + " " + strconv.Quote(subject)},
		{Key: "deviceExternalId", Value: string(r.Site)},
	}
	if addr, err := netip.ParseAddr(e.Source); err == nil && addr.Unmap().Is4() {
		fields = append(fields, cef.Field{Key: "src", Value: addr.Unmap().String()})
	} else if err == nil { // src holds IPv4 alone
		fields = append(fields, custom("c6a2", "Source IPv6 Address", addr.String())...)
	}
	org := r.OrgName
	if org == "" {
		org = e.Org
	}
	fields = append(fields, custom("cs1", "organization", org)...)
	fields = append(fields, custom("cs2", "requestId", e.RequestID)...)
	fields = append(fields, custom("cs3", "subjectKind", e.Subject.Kind)...)
	fields = append(fields, custom("cs4", "subjectId", e.Subject.ID)...)
	if len(r.Hash) > 0 {
		digest, _ := r.Hash.MarshalText()
		fields = append(fields, custom("cs5", "hash", string(digest))...)
	}
	if len(e.Detail) > 0 {
		detail, _ := json.Marshal(e.Detail) // strings alone
		fields = append(fields, custom("cs6", "detail", string(detail))...)
	}
	return cef.Event{
		Vendor: "Causeway", Product: "Causeway", Version: version, Class: string(e.Action), Name: string(e.Action), Severity: severity(r), Fields: fields,
	}.String()
}

// CEF is e as a line of the Common Event Format, without its end.
func (e End) CEF(version string) string {
	outcome := "partial"
	if e.Complete {
		outcome = "complete"
	}
	fields := []cef.Field{
		{Key: "cnt", Value: strconv.FormatInt(e.Rows, 10)}, {Key: "outcome", Value: outcome},
		{Key: "msg", Value: "everything up to row " + strconv.FormatInt(e.Next, 10) + " was looked at"},
	}
	if e.Head != nil {
		fields = append(fields, custom("cs5", "head", e.Head.String())...)
	}
	return cef.Event{
		Vendor: "Causeway", Product: "Causeway", Version: version, Class: "export.end", Name: "export.end", Severity: 1, Fields: fields,
	}.String()
}

func custom(key, label, value string) []cef.Field {
	if value == "" {
		return nil
	}
	return []cef.Field{{Key: key, Value: value}, {Key: key + "Label", Value: label}}
}
