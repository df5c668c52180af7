package route

// words say of each row what it is, for people who ask why a request goes where it
// goes.
var words = map[Row]string{
	RowForwarded:     "A peer vouched for the request: it is fulfilled here or nowhere.",
	RowNoContext:     "No context header names an organization: it is the session's own.",
	RowLocalTenant:   "TENANT-CONTEXT names an organization of this site.",
	RowLocation:      "AUTH-CONTEXT is a location, organization@site.",
	RowTheirTenant:   "AUTH-CONTEXT is the location of another site's tenant, and the providers of the two sites are associated.",
	RowRemoteTenant:  "TENANT-CONTEXT names an organization of another site that is associated with the session's.",
	RowUnknownTenant: "TENANT-CONTEXT names no organization that the session may reach.",
	RowOwnName:       "AUTH-CONTEXT is the name of the session's own organization.",
	RowByName:        "Exactly one organization that the session may reach has the name in AUTH-CONTEXT.",
	RowAmbiguous:     "Several organizations that the session may reach are meant alike.",
	RowUnknownName:   "No organization that the session may reach is named by AUTH-CONTEXT.",
	RowIncomplete:    "The association with the organization, or with its site, is not held by both sides.",
	RowUnreachable:   "The organization's site cannot be reached now.",
	RowLoop:          "The request has passed through this site before.",
	RowMalformed:     "A context header is not a name or an identifier.",
}

// Words say what the row means.
func (r Row) Words() string { return words[r] }
