package embeddings

// Fit and Tokens stand in until their branch is merged.
func Fit(int, string) func(string) []string { return func(s string) []string { return []string{s} } }

// Tokens counts.
func Tokens(s string) int { return len(s) / 4 }
