package route

import (
	"slices"
	"strings"

	"causeway/federation"
	"causeway/internal/problem"
	"causeway/tenants"
)

// expect is the slow oracle's answer.
type expect struct {
	row  Row
	kind Kind
	loc  tenants.LocationID
	code problem.Code
	also []string // candidates, as text
}

// oracle reads the table row by row, each row as one predicate over plain lists.
// It shares no helper with the code under test and parses headers by itself.
func oracle(in Input, w *world) expect {
	auth, tenant := strings.TrimSpace(in.AuthContext), strings.TrimSpace(in.TenantContext)
	tenantID := strings.ToLower(strings.TrimPrefix(tenant, "urn:vcloud:org:"))
	no := func(row Row, code problem.Code) expect { return expect{row: row, code: code} }
	here := func(row Row, org tenants.OrgID) expect {
		return expect{row: row, kind: Local, loc: tenants.LocationID{Org: org, Site: in.Self}}
	}

	// Malformed headers come before everything.
	if tenant != "" && !looksLikeUUID(tenantID) {
		return no("malformed", problem.BadRequest)
	}
	for _, v := range []string{auth, tenant} {
		if len(v) > 255 || strings.ToValidUTF8(v, "") != v || strings.ContainsAny(v, "\x00\x01\n\r\t\x7f\u0085") {
			return no("malformed", problem.BadRequest)
		}
	}

	locOrg, locSite, isLoc := strings.Cut(strings.ToLower(auth), "@")
	isLoc = isLoc && looksLikeUUID(locOrg) && looksLikeUUID(locSite)

	// says reports whether auth, where present, means this organization.
	says := func(org, name, site string) bool {
		return auth == "" || strings.EqualFold(auth, name) || isLoc && locOrg == org && locSite == site
	}

	// Row 0.
	if in.Forwarded {
		switch name, ok := w.orgs[in.Dst]; {
		case in.ViaSelf:
			return no("11", problem.LoopDetected)
		case !ok && in.Session.Provider && in.Dst != sysOrgID:
			return no("0", problem.Forbidden)
		case !ok, tenant != "" && tenantID != string(in.Dst), !says(string(in.Dst), name, string(in.Self)):
			return no("0", problem.Misdirected)
		default:
			return here("0", in.Dst)
		}
	}

	// Row 1.
	if auth == "" && tenant == "" {
		return here("1", in.Session.Org)
	}

	// mayLocal: the local organizations that this session may reach.
	mayLocal := map[tenants.OrgID]bool{}
	for id := range w.orgs {
		mayLocal[id] = in.Session.Provider || id == in.Session.Org
		for _, a := range w.assocs {
			if a.Local == in.Session.Org && a.Remote == id && a.Site == in.Self && a.Status != federation.Asymmetric {
				mayLocal[id] = true
			}
		}
	}
	// remote: the associations of the session's organization with other sites.
	var remote []federation.OrgAssociation
	for _, a := range w.assocs {
		if a.Local == in.Session.Org && a.Site != in.Self {
			remote = append(remote, a)
		}
	}
	half := func(a federation.OrgAssociation) bool {
		p, ok := w.peers[a.Site]
		return a.Status == federation.Asymmetric || !ok || p.Status == federation.Asymmetric
	}
	// leave is rows 9 to 11.
	leave := func(row Row, a federation.OrgAssociation) expect {
		loc := tenants.LocationID{Org: a.Remote, Site: a.Site}
		p := w.peers[a.Site]
		if half(a) || a.Status == federation.StatusError || p.Status == federation.StatusError {
			return expect{row: "9", loc: loc, code: problem.Forbidden}
		}
		if a.Status == federation.Unreachable || p.Status == federation.Unreachable || p.Open {
			return expect{row: "10", loc: loc, code: problem.SiteUnreachable}
		}
		if in.ViaSelf {
			return expect{row: "11", loc: loc, code: problem.Unavailable}
		}
		return expect{row: row, kind: Peer, loc: loc}
	}

	// Row 2.
	if id := tenants.OrgID(tenantID); tenant != "" && mayLocal[id] {
		if !says(tenantID, w.orgs[id], string(in.Self)) {
			return no("2", problem.BadRequest)
		}
		return here("2", id)
	}
	// Row 3.
	if isLoc && in.Session.Provider && tenant != "" && locOrg == string(sysOrgID) {
		locOrg = tenantID // the provider there, acting in this tenant
	}
	if isLoc {
		if locSite == string(in.Self) && mayLocal[tenants.OrgID(locOrg)] {
			if tenant != "" && tenantID != locOrg {
				return no("3", problem.BadRequest)
			}
			return here("3", tenants.OrgID(locOrg))
		}
		for _, a := range remote {
			if string(a.Remote) == locOrg && string(a.Site) == locSite {
				if tenant != "" && tenantID != locOrg {
					return no("3", problem.BadRequest)
				}
				return leave("3", a)
			}
		}
		// Row 3b.
		for _, a := range remote {
			if in.Session.Provider && locOrg != string(sysOrgID) && a.Remote == sysOrgID && string(a.Site) == locSite {
				if tenant != "" && tenantID != locOrg {
					return no("3b", problem.BadRequest)
				}
				e := leave("3b", a)
				e.loc.Org = tenants.OrgID(locOrg)
				return e
			}
		}
		return no("8", problem.Forbidden)
	}
	// Rows 4 and 4b.
	if tenant != "" {
		var hits []federation.OrgAssociation
		for _, a := range remote {
			if string(a.Remote) == tenantID {
				hits = append(hits, a)
			}
		}
		if len(hits) == 0 {
			return no("4b", problem.Forbidden)
		}
		if len(hits) > 1 {
			return several(hits, nil, in.Self)
		}
		if !says(tenantID, hits[0].RemoteName, string(hits[0].Site)) {
			return no("4", problem.BadRequest)
		}
		return leave("4", hits[0])
	}
	// Row 5.
	if strings.EqualFold(auth, in.Session.OrgName) {
		return here("5", in.Session.Org)
	}
	// Rows 6 to 8.
	var locals []tenants.OrgID
	for id, ok := range mayLocal {
		if ok && strings.EqualFold(w.orgs[id], auth) {
			locals = append(locals, id)
		}
	}
	var whole, halves []federation.OrgAssociation
	for _, a := range remote {
		switch {
		case !strings.EqualFold(a.RemoteName, auth):
		case half(a):
			halves = append(halves, a)
		default:
			whole = append(whole, a)
		}
	}
	if len(locals)+len(whole) == 0 {
		whole = halves // half-made ones count where there is nothing else
	}
	switch {
	case len(locals)+len(whole) == 0:
		return no("8", problem.Forbidden)
	case len(locals)+len(whole) > 1:
		return several(whole, locals, in.Self)
	case len(locals) == 1:
		return here("6", locals[0])
	default:
		return leave("6", whole[0])
	}
}

func several(remote []federation.OrgAssociation, local []tenants.OrgID, self tenants.SiteID) expect {
	e := expect{row: "7", code: problem.AmbiguousAuthContext}
	for _, a := range remote {
		e.also = append(e.also, string(a.Remote)+"@"+string(a.Site))
	}
	for _, id := range local {
		e.also = append(e.also, string(id)+"@"+string(self))
	}
	slices.Sort(e.also)
	return e
}

func looksLikeUUID(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) != 5 {
		return false
	}
	for i, n := range []int{8, 4, 4, 4, 12} {
		if len(parts[i]) != n || strings.Trim(parts[i], "0123456789abcdef") != "" {
			return false
		}
	}
	return true
}
