package refusal

import (
	"fmt"
	"io"
	"strings"

	"causeway/internal/problem"
)

// clients says what a program does about each code; what people can do is told
// beside the reason.
var clients = map[problem.Code]string{
	problem.InvalidRequest:       "Correct the request; the same again gets the same answer.",
	problem.InvalidClient:        "Do not retry: the client is not, or no longer, known there.",
	problem.InvalidGrant:         "Begin a new device grant or log in again. A refused code or token does not become valid.",
	problem.Replayed:             "Begin a new device grant. Keep one token file per account, shared by what uses the account.",
	problem.UnsupportedGrantType: "Use a grant type that the metadata lists.",
	problem.UnauthorizedClient:   "Use a grant type that the app was created with.",
	problem.InvalidScope:         "Ask for one role that the organization has.",
	problem.AuthorizationPending: "Poll on, at the interval that the device authorization gave (RFC 8628 §3.5).",
	problem.SlowDown:             "Add five seconds to the interval, for good, and poll on (RFC 8628 §3.5).",
	problem.AccessDenied:         "Stop polling.",
	problem.ExpiredToken:         "Stop polling, and begin a new device grant.",

	problem.Unauthenticated: "Refresh the token or log in again, once; then give up.",
	problem.Forbidden:       "Do not retry: a role with the right is needed.",
	problem.NotFound:        "Treat the object as not there.",
	problem.UnknownPath:     "Correct the path.",
	problem.UnknownUserCode: "Have the user code typed again.",

	problem.BadRequest:            "Correct the request; the same again gets the same answer.",
	problem.MethodNotAllowed:      "Use a method that the API description has.",
	problem.NotAcceptable:         "Send a version that the site speaks, or none.",
	problem.TooLarge:              "Send less, or ask for smaller pages.",
	problem.DuplicateName:         "Take another name, or use what has it.",
	problem.Conflict:              "Read the object again, and decide again.",
	problem.AmbiguousAuthContext:  "Name the organization by id and site.",
	problem.InvalidMultisiteArgs:  "Correct the parameter; begin again at the first page.",
	problem.InvalidMultisiteScope: "Ask without multisite, or for fewer locations.",

	problem.SiteUnreachable: "Retry after Retry-After; a change that was sent may have been made.",
	problem.GatewayTimeout:  "Look whether the change was made before it is sent again.",
	problem.Misdirected:     "Nothing: it is told to sites. Who gets it is in the place of one.",
	problem.LoopDetected:    "Do not retry.",

	problem.TooManyRequests: "Wait as long as Retry-After says; RateLimit headers say how much is left.",
	problem.Unavailable:     "Retry after Retry-After; nothing was changed.",
	problem.Internal:        "Retry what only reads. Report the request's id (X-VMWARE-VCLOUD-REQUEST-ID).",
}

// WriteCatalog writes what each code means and what to do about it, as a page. A code
// of which something is not said is an error.
func WriteCatalog(out io.Writer) error {
	fmt.Fprint(out, `# Problems

What a request can be refused with, generated from the tables that the gateway answers from (`+"`go test ./internal/refusal -run Catalog -update`"+`). The code is
what the audit trail, the log and the metrics call it. Below `+"`/cloudapi`"+` a client sees the status and `+"`minorErrorCode`"+`, below `+"`/api`"+` the same in XML, below
`+"`/oauth`"+` the word in `+"`error`"+` and in `+"`minorErrorCode`"+`, and below `+"`/csp`"+` the word with VMware Cloud services' members and, where its clients expect
it, another status: 401 for `+"`invalid_client`"+`, 403 for `+"`access_denied`"+`, 404 for `+"`not_found`"+` and `+"`unknown_user_code`"+`, 409 for `+"`duplicate_name`"+`.
Two codes may look alike to clients on purpose: what is absent and what is forbidden, what is invalid and what was replayed.
Why one request was refused: `+"`causeway explain ID`"+`, with the id in the answer.

| code | status | minorErrorCode | OAuth error | what it means | what a client does | what people can do |
|---|---|---|---|---|---|---|
`)
	for _, code := range problem.Codes() {
		row, why := code.Row(), byCodes[code]
		if why.why == "" || clients[code] == "" {
			return fmt.Errorf("%s lacks its meaning or what a client does about it", code)
		}
		_, err := fmt.Fprintf(out, "| `%s` | %d | `%s` | `%s` | %s | %s | %s |\n", code, row.Status, row.Minor, row.OAuth,
			why.why, clients[code], strings.ReplaceAll(strings.Join(why.advice, " "), "|", `\|`))
		if err != nil {
			return err
		}
	}
	return nil
}
