package gateway_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/benchtest"
	"causeway/internal/dev"
	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// BenchmarkClientCredentials measures the access tokens that an app gets for its
// secret, beside an endpoint that only signs one like it and answers. An RS256
// signature is nearly all of either; ours notes the token in the database, too.
func BenchmarkClientCredentials(b *testing.B) {
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		b.Run(string(kind), func(b *testing.B) {
			p := sitetest.Start(b, kind, sitetest.Adjust(unbounded), func(o *dev.Options) { o.Site = "west" })
			gate := httptest.NewServer(p.Site("west").Public())
			b.Cleanup(gate.Close)
			id, key := benchApp(b, p)
			form := url.Values{"grant_type": {"client_credentials"}}
			plan := sixteen(gate.Listener.Addr().String(), httpapi.CSPBase+"/auth/authorize", form)
			plan.Header = "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+key)) + "\r\n"
			signer, err := rsa.GenerateKey(rand.Reader, 2048)
			must(b, err)
			signs := bareEndpoint(b, func(c *gin.Context) {
				now := time.Now().Unix()
				token, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
					"iss": gate.URL + httpapi.CSPBase, "sub": "client:" + id, "azp": id, "acct": id, "username": id, "domain": "", "jti": nobody,
					"context": nobody, "context_name": nobody, "perms": []string{"csp:org_member"}, "iat": now, "exp": now + 1800, "cw_sv": 1, "cw_am": now,
				}).SignedString(signer)
				if err != nil {
					c.Status(http.StatusInternalServerError)
					return
				}
				c.JSON(http.StatusOK, gin.H{
					"access_token": token, "token_type": "bearer", "expires_in": 1800, "scope": "csp:org_member", "id_token": nil, "refresh_token": nil,
				})
			})
			ours := benchtest.Launch(b, plan)
			beside(b, ours, benchtest.Launch(b, sixteen(signs, "/", form)))
		})
	}
}

// benchApp is an app of acme's that was added to it.
func benchApp(b *testing.B, p *sitetest.Pair) (id, key string) {
	b.Helper()
	admin := sitetest.Bearer(p.Client.Login(b, "west", "acme"))
	org := httpapi.CSPOrg[:len(httpapi.CSPOrg)-len(":org")] + strings.TrimPrefix(p.Client.Site("west").Org("acme").ID, "urn:vcloud:org:")
	made := p.Client.Post(b, "west", org+"/oauth-apps", admin, map[string]any{
		"displayName": "Shipper", "description": "", "grantTypes": []string{"client_credentials"}, "accessTokenTTL": 1800,
		"allowedScopes": map[string]any{"organizationScopes": map[string]any{"allRoles": true}},
	}).Want(b, http.StatusOK)
	id, key = made.String(b, "clientId"), made.String(b, "clientSecret")
	p.Client.Post(b, "west", org+"/clients", admin, map[string]any{
		"ids": []string{id}, "organizationRoles": []map[string]string{{"name": "org_member"}},
	}).Want(b, http.StatusOK)
	return id, key
}
