package turtle

import "strings"

// parts are those of an IRI as RFC 3986 cuts it. They are kept as written: unlike net/url, nothing is escaped, since an
// IRI is a name and another spelling another name.
type parts struct {
	scheme, authority, path, query, fragment string
	hasAuthority, hasQuery, hasFragment      bool
}

func split(s string) (p parts) {
	s, p.fragment, p.hasFragment = strings.Cut(s, "#")
	s, p.query, p.hasQuery = strings.Cut(s, "?")
	if i := strings.IndexAny(s, ":/"); i > 0 && s[i] == ':' && isScheme(s[:i]) {
		p.scheme, s = s[:i], s[i+1:]
	}
	if rest, ok := strings.CutPrefix(s, "//"); ok {
		p.hasAuthority = true
		i := strings.IndexByte(rest, '/')
		if i < 0 {
			i = len(rest)
		}
		p.authority, s = rest[:i], rest[i:]
	}
	p.path = s
	return p
}

func isScheme(s string) bool {
	for i, r := range s {
		if !isLetter(r) && (i == 0 || !isDigit(r) && r != '+' && r != '-' && r != '.') {
			return false
		}
	}
	return s != ""
}

func (p parts) String() string {
	s := p.path
	if p.hasAuthority {
		s = "//" + p.authority + s
	}
	if p.scheme != "" {
		s = p.scheme + ":" + s
	}
	if p.hasQuery {
		s += "?" + p.query
	}
	if p.hasFragment {
		s += "#" + p.fragment
	}
	return s
}

// resolve returns ref as an absolute IRI (RFC 3986, 5.2). What is absolute stays as written. ok is false where the base
// is not absolute either.
func resolve(base, ref string) (string, bool) {
	r := split(ref)
	if r.scheme != "" {
		return ref, true
	}
	b := split(base)
	if b.scheme == "" {
		return "", false
	}
	t := parts{scheme: b.scheme, authority: r.authority, hasAuthority: r.hasAuthority, path: r.path,
		query: r.query, hasQuery: r.hasQuery, fragment: r.fragment, hasFragment: r.hasFragment}
	if !r.hasAuthority {
		t.authority, t.hasAuthority = b.authority, b.hasAuthority
		switch {
		case r.path == "":
			t.path = b.path
			if !r.hasQuery {
				t.query, t.hasQuery = b.query, b.hasQuery
			}
			return t.String(), true
		case !strings.HasPrefix(r.path, "/") && b.hasAuthority && b.path == "":
			t.path = "/" + r.path
		case !strings.HasPrefix(r.path, "/"):
			t.path = b.path[:strings.LastIndexByte(b.path, '/')+1] + r.path
		}
	}
	t.path = withoutDots(t.path)
	return t.String(), true
}

// withoutDots takes "." and ".." out of a path.
func withoutDots(path string) string {
	rooted := strings.HasPrefix(path, "/")
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	var out []string
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case ".":
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
		default:
			out = append(out, s)
			continue
		}
		if last {
			out = append(out, "") // what ends in dots ends in a slash
		}
	}
	path = strings.Join(out, "/")
	if rooted {
		return "/" + path
	}
	return path
}
