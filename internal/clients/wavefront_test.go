package clients

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wavefronthq/wavefront-sdk-go/senders"
)

// What the program that sends is told by its environment.
const (
	envSend   = "CAUSEWAY_CLIENTS_SEND" // URL of the instance; unset in the test itself
	envCSP    = "CAUSEWAY_CLIENTS_CSP"
	envID     = "CAUSEWAY_CLIENTS_ID"
	envSecret = "CAUSEWAY_CLIENTS_SECRET"
)

// TestMain is also the program that sends: the SDK asks for tokens with a client of
// its own, which trusts what the process trusts when it starts.
func TestMain(m *testing.M) {
	if instance := os.Getenv(envSend); instance != "" {
		if err := send(instance); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// forging sends requests on with headers that only the gateway may set, and prints
// the digest of each body.
type forging struct{}

func (forging) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Header.Set("X-Causeway-Principal", "app:somebody-else")
	r.Header.Set("X-Causeway-Permissions", "aoa:superAdmin")
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		_ = json.NewEncoder(os.Stdout).Encode(sent{res.StatusCode, digest(body)})
	}
	return res, err
}

type sent struct {
	Status int
	Digest string
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func send(instance string) error {
	sender, err := senders.NewSender(instance,
		senders.CSPClientCredentials(os.Getenv(envID), os.Getenv(envSecret), senders.CSPBaseURL(os.Getenv(envCSP))),
		senders.HTTPClient(&http.Client{Transport: forging{}, Timeout: 10 * time.Second}), senders.SendInternalMetrics(false))
	if err != nil {
		return err
	}
	defer sender.Close()
	if err := sender.SendMetric("causeway.test", 42, time.Now().Unix(), "here", map[string]string{"env": "test"}); err != nil {
		return err
	}
	if err := sender.SendEvent("deployed", time.Now().UnixMilli(), 0, "here", map[string]string{"env": "test"}); err != nil {
		return err
	}
	return sender.Flush()
}

// The SDK sends points and events unmodified. What it sends arrives byte for byte,
// also what it calls gzip and is not; who sends it, the gateway says.
func TestWavefrontSDK_CSP_34_R8(t *testing.T) {
	s := openShop(t, "aoa:directDataIngestion", "aoa:events")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+s.file.CA, envSend+"="+s.instance, envCSP+"="+s.api+"/", envID+"="+s.id, envSecret+"="+s.secret)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	must(t, err)
	var digests []string
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var one sent
		must(t, dec.Decode(&one))
		if one.Status != http.StatusAccepted {
			t.Errorf("an answer is %d", one.Status)
		}
		digests = append(digests, one.Digest)
	}
	var arrived []string
	for _, r := range s.received() {
		arrived = append(arrived, digest(r.Body))
		wantIdentity(t, s, r)
		switch path, _, _ := strings.Cut(r.URI, "?"); path {
		case "/report":
			wantPoint(t, r)
		case "/api/v2/event":
			if !json.Valid(r.Body) || r.Header.Get("Content-Encoding") != "gzip" {
				t.Errorf("the event is %q with %v", r.Body, r.Header)
			}
		default:
			t.Errorf("the instance got %s", r.URI)
		}
	}
	slices.Sort(digests)
	slices.Sort(arrived)
	if len(digests) != 2 || !slices.Equal(digests, arrived) {
		t.Errorf("sent %v, arrived %v", digests, arrived)
	}
}

func wantIdentity(t *testing.T, s *shop, r received) {
	t.Helper()
	if got := r.Header.Values("X-Causeway-Principal"); !slices.Equal(got, []string{"app:" + s.id}) {
		t.Errorf("the instance is told of %q", got)
	}
	permissions := strings.Join(r.Header.Values("X-Causeway-Permissions"), " ")
	if strings.Contains(permissions, "superAdmin") || !strings.Contains(permissions, "aoa:directDataIngestion") {
		t.Errorf("the permissions are %q", permissions)
	}
	if r.Header.Get("Authorization") != "" || r.Header.Get("Csp-Auth-Token") != "" {
		t.Error("the token reached the instance")
	}
}

func wantPoint(t *testing.T, r received) {
	t.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(r.Body))
	must(t, err)
	text := get(io.ReadAll(plain))(t)
	if !strings.Contains(string(text), "causeway.test") {
		t.Errorf("the points are %q", text)
	}
}
