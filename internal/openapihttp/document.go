package openapihttp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"causeway/internal/httpapi"
	"causeway/tenants"
)

// object keeps documents free of types that would only rename JSON; members come
// out sorted, so a document is the same bytes each time.
type object = map[string]any

// outside are the endpoints that no document describes.
func outside(path string) bool {
	return path == "/api" || strings.HasPrefix(path, "/api/") || // XML, as VCD documents it
		strings.HasPrefix(path, "/federation/") // JOSE, between sites
}

// route is what the table says of an operation.
type route struct {
	method, path string
	open         bool
	rights       []tenants.Right
	home, apps   bool
	list         bool
}

func routes(e httpapi.Endpoints) (all []route) {
	for _, r := range e.Routes {
		all = append(all, route{method: r.Method, path: r.Path, rights: r.Rights, home: r.Home, apps: r.Apps, list: r.List != nil})
	}
	for _, r := range e.Open {
		all = append(all, route{method: r.Method, path: r.Path, open: true})
	}
	return all
}

// Documents describe e, by the name of the API. An operation that about does not
// know, and one that it knows and e lacks, is an error.
func Documents(e httpapi.Endpoints) (map[string]object, error) {
	all, err := Load()
	if err != nil {
		return nil, err
	}
	docs, missing := map[string]object{}, []string{}
	for i := range all {
		docs[all[i].Name] = frame(all[i])
	}
	said := map[string]bool{}
	for _, r := range routes(e) {
		if outside(r.path) {
			continue
		}
		key := r.method + " " + r.path
		api := of(all, r.path)
		if api == nil {
			missing = append(missing, key)
			continue
		}
		o, ok := api.Operations[key]
		if !ok {
			missing = append(missing, key)
			continue
		}
		said[key] = true
		paths := docs[api.Name]["paths"].(object)
		item, ok := paths[template(r.path)].(object)
		if !ok {
			item = object{}
			paths[template(r.path)] = item
		}
		item[strings.ToLower(r.method)] = operation(*api, r, o)
	}
	for _, a := range all {
		for key := range a.Operations {
			if !said[key] {
				missing = append(missing, key+" (not served)")
			}
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return nil, fmt.Errorf("not described, or not served: %s", strings.Join(missing, ", "))
	}
	return docs, nil
}

func frame(a API) object {
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title": a.Title, "description": a.About, "version": httpapi.Version,
			"license": object{"name": "Apache 2.0", "identifier": "Apache-2.0"},
		},
		"servers": []any{object{"url": "/"}},
		"paths":   object{},
		"components": object{
			"schemas": a.Schemas,
			"securitySchemes": object{
				"bearer": object{"type": "http", "scheme": "bearer", "description": "An access token of a user's session, a service account or an API token; below /csp and for services also of a server-to-server app."},
			},
		},
	}
}

// template turns gin's parameters into OpenAPI's.
func template(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if p != "" && (p[0] == ':' || p[0] == '*') {
			parts[i] = "{" + p[1:] + "}"
		}
	}
	return strings.Join(parts, "/")
}

func operation(a API, r route, o Operation) object {
	op := object{"operationId": o.ID, "summary": o.Is, "parameters": parameters(r, o), "responses": responses(a, o)}
	if o.About != "" {
		op["description"] = o.About
	}
	if r.open {
		op["security"] = []any{}
	} else {
		op["security"] = []any{object{"bearer": []any{}}}
		// Any one of them, in the organization where the request is fulfilled.
		op["x-causeway-right"] = r.rights
		op["x-causeway-home"] = r.home // never at another site
	}
	if r.apps {
		op["x-causeway-apps"] = true // also for server-to-server apps
	}
	if o.In != "" {
		content := object{}
		for _, media := range o.media() {
			content[media] = object{"schema": reference(o.In)}
		}
		op["requestBody"] = object{"required": true, "content": content}
	}
	return op
}

func (o Operation) media() []string {
	if len(o.As) == 0 {
		return []string{"application/json"}
	}
	return o.As
}

func parameters(r route, o Operation) []any {
	list := []any{}
	add := func(in, name, about string, required bool) {
		list = append(list, object{"name": name, "in": in, "description": about, "required": required, "schema": object{"type": "string"}})
	}
	for part := range strings.SplitSeq(r.path, "/") {
		if part != "" && (part[0] == ':' || part[0] == '*') {
			add("path", part[1:], "", true)
		}
	}
	if o.List {
		add("query", "filter", "FIQL, in parentheses: (name==a*;enabled==true)", false)
		add("query", "sortAsc", "the field to sort by, ascending", false)
		add("query", "sortDesc", "the field to sort by, descending", false)
		add("query", "page", "from 1", false)
		add("query", "pageSize", "how many on a page", false)
	}
	for _, name := range sorted(o.Query) {
		add("query", name, o.Query[name], false)
	}
	if !r.open && !r.home {
		add("header", httpapi.HeaderAuthContext, "the organization that fulfils the request, by name or <organization id>@<site id>; absent: the caller's own", false)
	}
	return list
}

func responses(a API, o Operation) object {
	all := object{"default": object{
		"description": "Refused; docs/problems.md lists the codes.",
		"content":     object{"application/json": object{"schema": reference(a.Failure)}},
	}}
	for _, status := range o.statuses() {
		one := object{"description": "Done."}
		switch schema := o.Out[status]; schema {
		case "":
		case "any":
			one["content"] = object{"application/json": object{}}
		default:
			one["content"] = object{"application/json": object{"schema": reference(schema)}}
		}
		all[strconv.Itoa(status)] = one
	}
	return all
}

func reference(schema string) object { return object{"$ref": "#/components/schemas/" + schema} }
