package httpapi

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"causeway/internal/problem"
	"causeway/ratelimit"
	"causeway/tenants"
)

// identity is what we know of a request besides what it says itself.
type identity struct {
	id      string
	addr    netip.Addr
	org     tenants.OrgID
	failure error
	keeper  RefusalKeeper
	spoken  *Dialect
	draw    func(*gin.Context, *problem.Problem)
}

type identityKey struct{}

func identityOf(c *gin.Context) *identity { return c.MustGet(identityKey{}).(*identity) }

// Identify gives the request its id: what the client proposed, if it is
// harmless, cut to 128 characters, and a new UUID (VCD's form). trusted are the
// proxies whose X-Forwarded-For counts; by default there are none.
func Identify(trusted []netip.Prefix) gin.HandlerFunc {
	return func(c *gin.Context) {
		id := newRequestID()
		if from := c.GetHeader(HeaderClientRequest); harmless(from) {
			if len(from) > 128 {
				from = from[:128]
			}
			id = strings.TrimSuffix(from, "-") + "-" + id
		}
		c.Header(HeaderRequestID, id)
		c.Set(identityKey{}, &identity{
			id: id, addr: clientAddr(c.Request.RemoteAddr, c.Request.Header.Values("X-Forwarded-For"), trusted),
		})
	}
}

// newRequestID draws from the process's own generator and not from the system's:
// nobody is trusted for knowing the id of a request, and every request has one.
func newRequestID() string {
	var id uuid.UUID
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // version 4 (RFC 9562 §5.4)
	return id.String()
}

// maxRequestID is what Identify can make: the client's part, a dash and a UUID.
const maxRequestID = 128 + 1 + 36

// IsRequestID reports whether s can be the id of a request.
func IsRequestID(s string) bool { return len(s) <= maxRequestID && harmless(s) }

// ReadRequestID takes the identifier also as it stands in a message: [ id ].
func ReadRequestID(given string) (id string, ok bool) {
	id = strings.Trim(given, "[] \t\r\n")
	return id, IsRequestID(id)
}

func harmless(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// clientAddr walks X-Forwarded-For from the right while the hop is a trusted
// proxy: what stands left of the first stranger is the stranger's to invent.
func clientAddr(remote string, forwarded []string, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.IPv6Unspecified()
	}
	addr := peer.Addr().Unmap()
	if !isTrusted(addr, trusted) {
		return addr.WithZone("")
	}
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for i := len(hops) - 1; i >= 0 && isTrusted(addr, trusted); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = next.Unmap()
	}
	return addr.WithZone("")
}

func isTrusted(a netip.Addr, trusted []netip.Prefix) bool {
	for _, p := range trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Concern notes which organization of this site a request is about, as soon as
// that is known: its audit trail shows the request if it is refused.
func Concern(c *gin.Context, org tenants.OrgID) { identityOf(c).org = org }

// Concerned is what Concern noted, or empty.
func Concerned(c *gin.Context) tenants.OrgID { return identityOf(c).org }

// RefusalKeeper keeps refusals of which the answer as a whole is none.
type RefusalKeeper interface {
	KeepRefusal(c *gin.Context, err error)
}

// KeepRefusals says who keeps what NoteRefused is told.
func KeepRefusals(c *gin.Context, by RefusalKeeper) { identityOf(c).keeper = by }

// NoteRefused keeps that a part of the request was refused, of which the answer is
// that the rest was done. It is called before the answer is written.
func NoteRefused(c *gin.Context, err error) {
	if by := identityOf(c).keeper; by != nil {
		by.KeepRefusal(c, err)
	}
}

// Failure is what went wrong with the request, for the log, or nil.
func Failure(c *gin.Context) error { return identityOf(c).failure }

// RequestID is the id that Identify gave the request.
func RequestID(c *gin.Context) string { return identityOf(c).id }

// OwnRequestID is the part of RequestID that is not the client's.
func OwnRequestID(c *gin.Context) string {
	id := RequestID(c)
	return id[len(id)-36:]
}

// ClientAddr is the address of the client, behind trusted proxies if any.
func ClientAddr(c *gin.Context) netip.Addr { return identityOf(c).addr }

// Anonymous is the caller of an open endpoint.
func Anonymous(c *gin.Context) tenants.Caller {
	addr, agent := ClientAddr(c), c.Request.UserAgent()
	if len(agent) > 255 {
		agent = agent[:255]
	}
	return tenants.Caller{
		Source: ratelimit.SourceOf(addr).String(), Address: addr.String(),
		UserAgent: strings.ToValidUTF8(agent, "?"), RequestID: RequestID(c),
	}
}
