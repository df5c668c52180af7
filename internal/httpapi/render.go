package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/fiql"
	"causeway/internal/problem"
	"causeway/ratelimit"
)

// Versions are the API versions we speak, ascending. VCD SDKs ask for 37.0, and
// take a site that offers 40.0 or more for another product.
var Versions = []string{"36.0", "36.1", "36.2", "36.3", "37.0", "37.1", "37.2", "37.3", "38.0", Version}

// Version is the newest API version we speak.
const Version = "38.1"

// Dialect is the language in which a client expects errors.
type Dialect int

const (
	OpenAPI Dialect = iota // /cloudapi and instances: VCD's JSON error
	XML                    // /api: VCD's XML error
	OAuth                  // /oauth, and what realms say about themselves: RFC 6749 and VCD members in one object
	CSP                    // /csp: VMware Cloud services' error with RFC 6749's members
)

// DialectOf tells the dialect of a request by its path, and below /api by what
// the client accepts.
func DialectOf(r *http.Request) Dialect {
	switch path := r.URL.Path; {
	case under(path, "oauth"), under(path, ".well-known/oauth-authorization-server"):
		return OAuth
	case under(path, "csp"):
		return CSP
	case r.Method == http.MethodDelete && under(path, "cloudapi/1.0.0/sessions") && strings.Contains(r.Header.Get("Accept"), "xml"):
		return XML // the SDK logs out like this, and reads errors as XML
	case under(path, "api") && !strings.Contains(strings.Join(r.Header.Values("Accept"), ","), "+json"):
		return XML
	default:
		return OpenAPI
	}
}

func under(path, first string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(path, "/"), first)
	return ok && (rest == "" || rest[0] == '/')
}

// Speak sets the dialect of a request that its path does not tell.
func Speak(c *gin.Context, d Dialect) { identityOf(c).spoken = &d }

func dialectOf(c *gin.Context) Dialect {
	if d := identityOf(c).spoken; d != nil {
		return *d
	}
	return DialectOf(c.Request)
}

type openAPIError struct {
	Minor   string  `json:"minorErrorCode"`
	Message string  `json:"message"`
	Stack   *string `json:"stackTrace"`
}

// oauthError carries both vocabularies at once: the SDK's decoder and a plain
// OAuth client both find what they look for (VCD-74).
type oauthError struct {
	Error       string  `json:"error"`
	Description string  `json:"error_description"`
	URI         *string `json:"error_uri"`
	openAPIError
}

func newOAuthError(p *problem.Problem) oauthError {
	word := p.Code.Row().OAuth
	return oauthError{Error: word, Description: p.Detail, openAPIError: openAPIError{Minor: word, Message: p.Detail}}
}

type xmlError struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 Error"`
	Major   int      `xml:"majorErrorCode,attr"`
	Minor   string   `xml:"minorErrorCode,attr"`
	Message string   `xml:"message,attr"`
	Vendor  string   `xml:"vendorSpecificErrorCode,attr"`
	Stack   string   `xml:"stackTrace,attr"`
}

// Fail writes err in the client's dialect and remembers it for the log line.
func Fail(c *gin.Context, err error) {
	identityOf(c).failure = err
	if errors.Is(err, context.Canceled) && c.Request.Context().Err() != nil {
		c.Status(StatusClientLeft)
		return
	}
	p := problem.From(err)
	row := p.Code.Row()
	if p.RetryAfter == 0 && p.Code == problem.Unavailable {
		p.RetryAfter = time.Second
	}
	if draw := identityOf(c).draw; draw != nil {
		if p.RetryAfter > 0 {
			c.Header("Retry-After", retryAfter(p.RetryAfter))
		}
		draw(c, p)
		return
	}
	dialect := dialectOf(c)
	refused, limited := errors.AsType[ratelimit.Refusal](p.Err)
	if limited && dialect == OAuth {
		failLimited(c, p, refused.Standing)
		return
	}
	if p.RetryAfter > 0 {
		c.Header("Retry-After", retryAfter(p.RetryAfter))
	}
	if limited {
		RateLimit(c, refused.Standing)
	}
	c.Header("Cache-Control", "no-store")
	switch dialect {
	case OAuth:
		if row.Status == http.StatusUnauthorized {
			c.Header("WWW-Authenticate", `Bearer error="`+row.OAuth+`"`) // RFC 6750 §3
		}
		JSON(c, row.Status, newOAuthError(p))
	case CSP:
		failCSP(c, p)
	case XML:
		WriteXML(c, row.Status, "application/vnd.vmware.vcloud.error+xml",
			xmlError{Major: row.Status, Minor: row.Minor, Message: logged(c, p.Detail)})
	default:
		JSON(c, row.Status, openAPIError{Minor: row.Minor, Message: logged(c, p.Detail)})
	}
}

// retryAfter is whole seconds, rounded up; empty for none.
func retryAfter(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}

// StatusClientLeft is for the log alone, as nginx has it: nobody is there to read
// an answer.
const StatusClientLeft = 499

// logged puts the request id in front, as VCD does: it is what a user reports.
func logged(c *gin.Context, detail string) string {
	return fmt.Sprintf("[ %s ] %s", RequestID(c), detail)
}

// JSON writes v.
func JSON(c *gin.Context, status int, v any) {
	body, err := encode(v)
	if err != nil {
		identityOf(c).failure = err
		c.Status(http.StatusInternalServerError)
		return
	}
	c.Header("Content-Type", mediaOf(c))
	write(c, status, body)
}

func write(c *gin.Context, status int, body []byte) {
	c.Status(status)
	if _, err := c.Writer.Write(body); err != nil {
		identityOf(c).failure = err
	}
}

// encode writes v as JSON. Characters are not escaped for HTML: clients compare
// echoes byte for byte.
func encode(v any) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return body.Bytes(), err
}

func mediaOf(c *gin.Context) string {
	if dialectOf(c) == OpenAPI {
		return "application/json;version=" + Version
	}
	return "application/json"
}

// NoStore marks an answer that holds a secret (RFC 6749 §5.1).
func NoStore(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.Header("Pragma", "no-cache")
}

// NoStoreJSON writes an answer that holds a secret.
func NoStoreJSON(c *gin.Context, status int, v any) {
	NoStore(c)
	JSON(c, status, v)
}

// WriteXML writes v as VCD's XML of the given media type.
func WriteXML(c *gin.Context, status int, media string, v any) {
	body, err := EncodeXML(v)
	if err != nil {
		identityOf(c).failure = err
		c.Status(http.StatusInternalServerError)
		return
	}
	c.Data(status, media+";version="+Version, body)
}

// EncodeXML is v as a document.
func EncodeXML(v any) ([]byte, error) {
	body, err := xml.MarshalIndent(v, "", "    ")
	return append([]byte(xml.Header), body...), err
}

// Time writes a time as VCD's JSON and XML do.
func Time(t time.Time) string { return fiql.Stamp(t) }

// Ref names an entity.
type Ref struct {
	Name string `json:"name"`
	ID   string `json:"id"`
}

// NoContent answers 204 unless err says otherwise.
func NoContent(c *gin.Context, err error) error {
	if err == nil {
		c.Status(http.StatusNoContent)
		c.Writer.WriteHeaderNow()
	}
	return err
}
