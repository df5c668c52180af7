package services

import (
	"net/http"
	"strings"
)

// WebSocket as a route's method is a GET that becomes a WebSocket (RFC 6455).
const WebSocket = "WEBSOCKET"

// methods are those that a route can name, one bit each.
type methods uint16

var methodBits = map[string]methods{
	http.MethodGet: 1, http.MethodHead: 2, http.MethodPost: 4, http.MethodPut: 8, http.MethodPatch: 16, http.MethodDelete: 32,
	http.MethodOptions: 64, WebSocket: 128,
}

// methodsOf are the named ones. Who may read may ask for the head of it, too.
func methodsOf(names []string) (m methods) {
	for _, name := range names {
		m |= methodBits[name]
	}
	if m&methodBits[http.MethodGet] != 0 {
		m |= methodBits[http.MethodHead]
	}
	return m
}

// compiledRoute is a route at the end of its path.
type compiledRoute struct {
	order      int // the first that fits counts
	methods    methods
	permission int // position of it; -1 is none, which no app has
	people     bool
}

// routeNode is a place in the tree of paths.
type routeNode struct {
	literal map[string]*routeNode
	any     *routeNode // {name}
	exact   []compiledRoute
	below   []compiledRoute // whose path ends in *
	first   int             // the least order at and below this node
}

func newRouteNode(order int) *routeNode { return &routeNode{first: order} }

// compileRoutes makes a tree. A route of a permission that is not there is left out:
// nobody could have it.
func compileRoutes(routes []Route, index map[Permission]int) *routeNode {
	root := newRouteNode(0)
	for i, r := range routes {
		permission, known := index[r.Permission]
		if !known {
			if r.Permission != "" || !r.People {
				continue
			}
			permission = -1
		}
		root.add(strings.TrimPrefix(r.Path, "/"), compiledRoute{order: i, methods: methodsOf(r.Methods), permission: permission, people: r.People})
	}
	return root
}

func (n *routeNode) add(path string, r compiledRoute) {
	segment, rest, more := strings.Cut(path, "/")
	if segment == "*" && !more {
		n.below = append(n.below, r)
		return
	}
	next := n.child(segment, r.order)
	if more {
		next.add(rest, r)
		return
	}
	next.exact = append(next.exact, r)
}

func (n *routeNode) child(segment string, order int) *routeNode {
	if strings.HasPrefix(segment, "{") {
		if n.any == nil {
			n.any = newRouteNode(order)
		}
		return n.any
	}
	if n.literal == nil {
		n.literal = map[string]*routeNode{}
	}
	if n.literal[segment] == nil {
		n.literal[segment] = newRouteNode(order)
	}
	return n.literal[segment]
}

// match finds the first route for a call; nil is none. It allocates nothing.
func (n *routeNode) match(method, path string) *compiledRoute {
	m := methodBits[method]
	if m == 0 || path == "" || path[0] != '/' {
		return nil
	}
	return n.find(m, path[1:], nil)
}

// find looks for a route of a lower order than best.
func (n *routeNode) find(m methods, path string, best *compiledRoute) *compiledRoute {
	if best != nil && n.first > best.order {
		return best
	}
	segment, rest, more := strings.Cut(path, "/")
	if segment != "" {
		best = firstOf(n.below, m, best)
	}
	for _, next := range [...]*routeNode{n.literal[segment], n.any} {
		switch {
		case next == nil, next == n.any && segment == "":
		case more:
			best = next.find(m, rest, best)
		default:
			best = firstOf(next.exact, m, best)
		}
	}
	return best
}

func firstOf(routes []compiledRoute, m methods, best *compiledRoute) *compiledRoute {
	for i := range routes {
		if r := &routes[i]; r.methods&m != 0 {
			if best == nil || r.order < best.order {
				return r
			}
			return best
		}
	}
	return best
}
