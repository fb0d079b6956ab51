package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ketnoi/ketnoi/engine/glossary"
)

// phrases are the engine's own words to readers, by key and language. Every key has all five languages (tested). They
// are written so that no word has to agree with another: labels with a colon, not sentences with holes.
var phrases = merged(ruleWords, map[string]map[string]string{
	"same":     {"vi": "Cùng nói đến: %s.", "fr": "Sujets communs : %s.", "en": "Both name: %s.", "ko": "공통 개념: %s.", "zh": "双方都提到：%s。"},
	"close":    {"vi": "Gần với nhu cầu: %s.", "fr": "Sujets proches : %s.", "en": "Close to it: %s.", "ko": "유사 개념: %s.", "zh": "相近内容：%s。"},
	"words":    {"vi": "Từ ngữ chung: %s.", "fr": "Mots communs : %s.", "en": "Shared words: %s.", "ko": "공통 단어: %s.", "zh": "共同用词：%s。"},
	"meaning":  {"vi": "Nội dung gần nhau về nghĩa.", "fr": "Les textes sont proches par le sens.", "en": "The texts are close in meaning.", "ko": "내용이 의미상 가깝습니다.", "zh": "两段内容含义相近。"},
	"fields":   {"vi": "Cùng lĩnh vực: %s.", "fr": "Domaine commun : %s.", "en": "Same field: %s.", "ko": "같은 분야: %s.", "zh": "同一领域：%s。"},
	"about":    {"vi": "Bên được giới thiệu: %s.", "fr": "Profil : %s.", "en": "About it: %s.", "ko": "추천 대상: %s.", "zh": "推荐对象：%s。"},
	"written":  {"vi": "viết bằng %s", "fr": "rédigé en %s", "en": "written in %s", "ko": "작성 언어 %s", "zh": "原文为%s"},
	"level":    {"vi": "mức sẵn sàng TRL %d", "fr": "maturité TRL %d", "en": "readiness TRL %d", "ko": "성숙도 TRL %d", "zh": "技术成熟度 TRL %d"},
	"prefers":  {"vi": "Đúng ưu tiên: %s.", "fr": "Préférences satisfaites : %s.", "en": "Meets the preferences: %s.", "ko": "충족한 선호 조건: %s.", "zh": "符合偏好：%s。"},
	"expert":   {"vi": "chuyên gia", "fr": "expert", "en": "expert", "ko": "전문가", "zh": "专家"},
	"problem":  {"vi": "bài toán", "fr": "problème", "en": "problem", "ko": "기술 수요", "zh": "技术需求"},
	"vi":       {"vi": "tiếng Việt", "fr": "vietnamien", "en": "Vietnamese", "ko": "베트남어", "zh": "越南语"},
	"fr":       {"vi": "tiếng Pháp", "fr": "français", "en": "French", "ko": "프랑스어", "zh": "法语"},
	"en":       {"vi": "tiếng Anh", "fr": "anglais", "en": "English", "ko": "영어", "zh": "英语"},
	"ko":       {"vi": "tiếng Hàn", "fr": "coréen", "en": "Korean", "ko": "한국어", "zh": "韩语"},
	"zh":       {"vi": "tiếng Trung", "fr": "chinois", "en": "Chinese", "ko": "중국어", "zh": "中文"},
	"field":    {"vi": "lĩnh vực", "fr": "domaine", "en": "field", "ko": "분야", "zh": "领域"},
	"region":   {"vi": "địa phương", "fr": "région", "en": "region", "ko": "지역", "zh": "地区"},
	"language": {"vi": "ngôn ngữ", "fr": "langue", "en": "language", "ko": "언어", "zh": "语言"},
	"kind":     {"vi": "loại", "fr": "type", "en": "kind", "ko": "종류", "zh": "类别"},

	"technology": {"vi": "công nghệ", "fr": "technologie", "en": "technology", "ko": "기술", "zh": "技术"},
	"readiness":  {"vi": "mức sẵn sàng công nghệ", "fr": "maturité", "en": "readiness", "ko": "기술 성숙도", "zh": "技术成熟度"},
	"ip_status":  {"vi": "tình trạng sở hữu trí tuệ", "fr": "statut de propriété intellectuelle", "en": "IP status", "ko": "지식재산 상태", "zh": "知识产权状态"},
})

func merged(all ...map[string]map[string]string) map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}

// Phrase returns the engine's word for a key (a kind, a rule, a language, …) in the reader's language, else in
// English, else the key itself.
func Phrase(key, reader string) string {
	p := phrases[key]
	if s := p[reader]; s != "" {
		return s
	}
	if s := p["en"]; s != "" {
		return s
	}
	return key
}

// summary says in the reader's language what the explanation shows and who the candidate is, and nothing else.
func (x *explainer) summary(e *Explanation, l *Listing) string {
	say := func(key string, args ...any) string { return fmt.Sprintf(Phrase(key, x.reader), args...) }
	var out, same, near []string
	for _, c := range e.Concepts {
		if c.Link == glossary.Same {
			same = append(same, c.Label)
		} else {
			near = append(near, c.Label)
		}
	}
	if len(same) > 0 {
		out = append(out, say("same", x.join(same, 5)))
	}
	if len(near) > 0 {
		out = append(out, say("close", x.join(near, max(1, 4-len(same)))))
	}
	if len(same)+len(near) < 2 && len(e.Words) > 0 {
		out = append(out, say("words", x.join(e.Words, 6)))
	}
	if len(out) == 0 && largest(e.Parts) == SignalMeaning.String() {
		out = append(out, say("meaning"))
	}
	if f := sharedFields(x.r.Fields, l.Fields, x.reader); len(out) == 0 && len(f) > 0 {
		out = append(out, say("fields", x.join(f, 2)))
	}
	facts := []string{Phrase(string(l.Kind), x.reader)}
	if l.Lang != "" {
		facts = append(facts, say("written", Phrase(l.Lang, x.reader)))
	}
	if l.TRL > 0 {
		facts = append(facts, say("level", l.TRL))
	}
	for _, r := range l.Regions[:min(len(l.Regions), 2)] {
		facts = append(facts, glossary.RegionLabel(r, x.reader))
	}
	out = append(out, say("about", x.join(facts, 5)))
	var met []string
	for _, r := range e.Rules {
		if r.Preference && r.Holds {
			met = append(met, Phrase(r.Rule, x.reader))
		}
	}
	if len(met) > 0 {
		out = append(out, say("prefers", x.join(met, 5)))
	}
	if e.Confidence != "" {
		out = append(out, say(e.Confidence))
	}
	return strings.Join(out, spaceFor(x.reader))
}

// largest returns the signal of the part with the most points.
func largest(parts []Part) string {
	name, most := "", 0.0
	for _, p := range parts {
		if p.Points > most {
			name, most = p.Signal, p.Points
		}
	}
	return name
}

// sharedFields returns the names of the fields that both have, or else of the major fields.
func sharedFields(subject, candidate []string, reader string) (out []string) {
	add := func(code string) {
		if name := glossary.FieldLabel(code, reader); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, f := range subject {
		if slices.Contains(candidate, f) {
			add(f)
		}
	}
	for _, f := range subject {
		if len(out) == 0 && slices.ContainsFunc(candidate, func(c string) bool { return major(c) == major(f) }) {
			add(major(f))
		}
	}
	return out
}

// join lists at most n entries as the reader's language separates them.
func (x *explainer) join(list []string, n int) string { return joinFor(x.reader, list, n) }

func joinFor(reader string, list []string, n int) string {
	return strings.Join(list[:min(len(list), n)], byReader(reader, ", ", ", ", "、"))
}

// How the reader's language parts sentences, and their parts.
func spaceFor(reader string) string { return byReader(reader, " ", " ", "") }
func colonFor(reader string) string { return byReader(reader, ": ", " : ", "：") }
func commaFor(reader string) string { return byReader(reader, ", ", ", ", "，") }
func stopFor(reader string) string  { return byReader(reader, ".", ".", "。") }

func byReader(reader, most, fr, zh string) string {
	switch reader {
	case "fr":
		return fr
	case "zh":
		return zh
	}
	return most
}
