package engine

import (
	"strings"

	"github.com/ketnoi/ketnoi/engine/text"
)

// What says of a person only who it is or of which gender is no evidence of what the person can do. Profiles are matched without
// names, and with one form of each word that has a form for each gender; they are quoted as they stand.

// gendered leads words that are written by gender to the other form, in Vietnamese, French and English; those that are words of
// grammar, such as "ông" and "bà", "il" and "elle", are no terms anyway. Written by us; a word that means something else as well,
// such as Vietnamese "cô" (of "cô đặc", to concentrate), is not in it.
var gendered = pairs(`ms=mr mrs=mr mme=m mlle=m madame=m monsieur=m herself=himself hers=his woman=man women=men
	chairwoman=chairman businesswoman=businessman spokeswoman=spokesman actress=actor
	chercheuse=chercheur directrice=directeur codirectrice=codirecteur fondatrice=fondateur cofondatrice=cofondateur inventrice=inventeur conceptrice=concepteur
	coordinatrice=coordinateur coordonnatrice=coordonnateur formatrice=formateur animatrice=animateur créatrice=créateur rédactrice=rédacteur
	auditrice=auditeur évaluatrice=évaluateur rapporteuse=rapporteur entrepreneuse=entrepreneur entrepreneure=entrepreneur conseillère=conseiller
	ingénieure=ingénieur professeure=professeur docteure=docteur auteure=auteur autrice=auteur experte=expert consultante=consultant enseignante=enseignant
	doctorante=doctorant étudiante=étudiant assistante=assistant gérante=gérant dirigeante=dirigeant présidente=président agente=agent adjointe=adjoint
	technicienne=technicien pharmacienne=pharmacien informaticienne=informaticien praticienne=praticien mathématicienne=mathématicien physicienne=physicien
	chirurgienne=chirurgien opticienne=opticien électricienne=électricien cheffe=chef française=français vietnamienne=vietnamien coréenne=coréen chinoise=chinois
	reconnue=reconnu diplômée=diplômé née=né passionnée=passionné expérimentée=expérimenté nommée=nommé retraitée=retraité chargée=chargé attachée=attaché
	associée=associé habilitée=habilité élue=élu seule=seul ancienne=ancien`)

// genderedSigns are those that are no words of their own: of Korean and Chinese, and Vietnamese ones that mean a person only together.
var genderedSigns = strings.NewReplacer("그녀", "그", "她", "他", "女士", "先生", "小姐", "先生", "，女，", "，男，", "（女）", "（男）", "(女)", "(男)", "。女，", "。男，", "여성 연구자", "연구자", "cô ấy", "anh ấy", "cô giáo", "thầy giáo", "Cô giáo", "Thầy giáo", "Cô ấy", "Anh ấy", "nữ tiến sĩ", "tiến sĩ")

func pairs(list string) map[string]string {
	out := map[string]string{}
	for pair := range strings.FieldsSeq(list) {
		from, to, _ := strings.Cut(pair, "=")
		out[from] = to
	}
	return out
}

// neutral is a text of the listing as it is matched: where it is about a person, without the name and without gender.
func (l *Listing) neutral(s string) string {
	if l.Kind != Expert || !l.AboutPerson() || s == "" {
		return s
	}
	name, _, _ := strings.Cut(l.Person, "(")
	if name = strings.TrimSpace(name); len(name) > 3 {
		s = strings.ReplaceAll(s, name, " ")
	}
	s = genderedSigns.Replace(s)
	var b strings.Builder
	done := 0
	text.Scan(s, func(a *text.Atom) bool {
		if a.Script == text.Latin {
			if to, ok := gendered[strings.ToLower(s[a.Start:a.End])]; ok {
				b.WriteString(s[done:a.Start])
				b.WriteString(to)
				done = a.End
			}
		}
		return true
	})
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}
