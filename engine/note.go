package engine

// Note is one of the small things that a store keeps beside listings: a value by its key, in a named space. Whoever
// removes a person removes the notes whose key is, or contains between spaces, the id of the person's listing.
type Note struct {
	Key   string
	Value []byte
}
