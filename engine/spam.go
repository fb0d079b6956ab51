package engine

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/engine/glossary"
	"github.com/ketnoi/ketnoi/engine/text"
)

// Listings that are written for the ranking and not for readers. The limits lie where next to nobody honest is left out for how they
// write (docs/ranking.md); one of 212 relevant abstracts of needs-solutions repeats its problem.
const (
	echoRuns      = 0.5  // share of the subject's runs of terms, from which a candidate repeats it
	echoWords     = 0.5  // the same of its different terms; relevant listings of the demo have up to 0.35 of them
	echoLeast     = 30   // different terms of a subject that can be said to be repeated
	echoLength    = 6    // times the subject's length, beyond which a listing has many words by chance
	listedShare   = 0.16 // different concepts a term, from which a text is a list; honest ones have up to 0.135
	listedLeast   = 20   // concepts
	repeatedShare = 0.3  // different terms among all, below which a text repeats itself; honest ones have 0.33 and more
	repeatedLeast = 40   // terms

	copiedShare    = 0.3  // share of an offer's runs of terms that stand in problems, from which it is made of them
	copiedNeeds    = 15   // problems by each way of retrieval that it is compared with
	copiedPassages = 30   // of the offer, by which they are found
	partedShare    = 0.25 // commas and the like a word, from which a text is a list; honest ones have up to 0.24
	partedLeast    = 40   // words
)

// echoes reports whether a candidate repeats what is asked, in order or as a bag of words. Who offers something has words of
// their own.
func echoes(asked, has *traits) bool {
	if len(asked.runs) >= leastShingles && float64(common(asked.runs, has.runs)) >= echoRuns*float64(len(asked.runs)) {
		return true
	}
	return len(asked.distinct) >= echoLeast && has.count <= echoLength*asked.count && float64(common(asked.distinct, has.distinct)) >= echoWords*float64(len(asked.distinct))
}

// What is known of how a listing is written.
const (
	unread = iota
	honest
	stuffed
	copied
)

// written says which intervention leaves a listing out for how it is written, "" for none. It is found out once for a stub.
func (rec *Recommender) written(ctx context.Context, p *placed) (string, error) {
	known := p.written.Load()
	if known == unread {
		known = honest
		if rec.looksStuffed(p.Listing, &p.traits) {
			known = stuffed
		} else if isCopy, err := rec.copiesNeed(ctx, p); err != nil {
			return "", err
		} else if isCopy {
			known = copied
		}
		p.written.Store(known)
	}
	switch known {
	case stuffed:
		return ShapeStuffing, nil
	case copied:
		return ShapeEcho, nil
	}
	return "", nil
}

// looksStuffed reports whether a listing lists terms, repeats itself, or instructs machines.
func (rec *Recommender) looksStuffed(l *Listing, has *traits) bool {
	if repeats(l.Title, l.Text, l.Summary) || slices.ContainsFunc(l.Works, func(w Work) bool { return repeats(w.Title, w.Text) }) {
		return true
	}
	named := map[int]bool{}
	instructs := false
	parts, atoms := 0, 0
	look := func(s string) {
		for _, r := range s {
			if strings.ContainsRune(",;、，；|•·/", r) {
				parts++
			}
		}
		text.Scan(s, func(*text.Atom) bool { atoms++; return true })
		instructs = instructs || instruction.MatchString(s)
		for _, lang := range text.Languages {
			rec.Glossary.Find(s, lang, func(m glossary.Mention) { named[m.Concept] = true })
		}
	}
	look(l.Title)
	look(l.Text)
	look(l.Summary)
	for i := range l.Works[:min(len(l.Works), 50)] { // whoever has more has done something
		look(l.Works[i].Title)
		look(l.Works[i].Text)
	}
	return instructs || atoms >= partedLeast && float64(parts) >= partedShare*float64(atoms) || len(named) >= listedLeast && float64(len(named)) >= listedShare*float64(has.count)
}

// repeats reports whether texts say the same words again and again.
func repeats(texts ...string) bool {
	different, all := map[string]bool{}, 0
	for _, s := range texts {
		text.Terms(s, func(term []byte, _, _ int) {
			if term[0] != '=' {
				different[string(term)] = true
				all++
			}
		})
	}
	return all >= repeatedLeast && float64(len(different)) < repeatedShare*float64(all)
}

// copiesNeed reports whether what is offered is made of the texts of problems that are stored, whoever asks now.
func (rec *Recommender) copiesNeed(ctx context.Context, p *placed) (bool, error) {
	l := p.Listing
	if l.Kind == Problem {
		return false, nil
	}
	r := &Reading{Listing: l, Lang: l.Lang, Passages: p.Passages}
	var texts []string
	for _, passage := range r.Passages[:min(len(r.Passages), copiedPassages)] {
		texts = append(texts, l.Matchable(passage))
	}
	rec.readWords(r, texts)
	sc := rec.borrow()
	defer rec.scratch.Put(sc)
	if err := rec.Retriever.Retrieve(ctx, r, []Clause{{Rule: RuleKind, AnyOf: []Facet{Facet("kind:" + Problem)}}}, copiedNeeds, &sc.candidates); err != nil {
		return false, err
	}
	var near []string
	for i := range sc.candidates.List {
		near = append(near, sc.candidates.List[i].Listing.ID)
	}
	entries, err := rec.Library.Entries(ctx, near, "")
	var runs []uint64
	for _, e := range entries {
		need := traitsOf(e.Listing)
		if echoes(&need, &p.traits) {
			return true, err
		}
		runs = append(runs, need.runs...)
	}
	slices.Sort(runs)
	runs = slices.Compact(runs)
	return len(p.traits.runs) >= leastShingles && float64(common(runs, p.traits.runs)) >= copiedShare*float64(len(p.traits.runs)), err
}

// instruction is text that addresses a machine which reads the listing. No ranking of ours obeys text; but an assistant that is
// given the list might, and no honest offer says such things.
var instruction = regexp.MustCompile(`(?i)ignore\s+(?:all\s+|any\s+|the\s+)?(?:previous|prior|above|earlier|other)\s+(?:instruction|prompt|rule|listing|candidate|result)` +
	`|disregard\s+(?:all\s+|any\s+|the\s+)?(?:previous|prior|above|earlier)|(?:rank|score|place|list)\s+(?:this|me|us)\s+(?:listing\s+|technology\s+|expert\s+)?(?:as\s+)?(?:first|top|highest|number\s+one|#?1\b)` +
	`|you\s+are\s+(?:now\s+)?(?:an?\s+)?(?:assistant|ranker|language\s+model|ai\b)|<\s*/?\s*(?:script|system|instruction)|(?:^|\n)\s*(?:system|assistant)\s*:|"?(?:score|rank|confidence)"?\s*[:=]\s*(?:1(?:\.0+)?|100)\b` +
	`|bỏ\s+qua\s+(?:mọi\s+|tất\s+cả\s+|các\s+|những\s+)*(?:chỉ\s+dẫn|hướng\s+dẫn|lệnh|quy\s+tắc)|xếp\s+(?:hồ\s+sơ\s+|công\s+nghệ\s+|mục\s+)?này\s+(?:lên\s+|ở\s+)?(?:đầu|thứ\s+nhất|vị\s+trí\s+(?:đầu|số\s+1))` +
	`|ignore[zr]?\s+(?:toutes?\s+)?(?:les\s+|ces\s+)?(?:instructions|consignes|règles)|classe[zr]?\s+(?:cette|ce)\s+\S+\s+(?:en\s+)?(?:premi|tête)` +
	`|(?:이전|위의|앞의)\s*(?:모든\s*)?(?:지시|명령|규칙)[^.]{0,10}무시|(?:지시|명령|규칙)(?:을|를|사항을)?\s*(?:모두\s*)?무시|忽略(?:之前|以上|前面|先前|所有)[^。]{0,8}(?:指令|指示|规则|提示)|(?:将|把)(?:本|此|这)[^。]{0,8}(?:排在|列为)第一`)
