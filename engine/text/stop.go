package text

import "strings"

// The words that carry grammar and no topic, written by us for the five languages. Latin ones are looked up by
// their exact form, so that Vietnamese "của" (of) is dropped and "cua" (crab, or unaccented text) is kept. They are
// dropped whatever the language of a text; therefore words that mean something in another language are left out
// (French "car", Vietnamese "hay" and "ai").
const (
	stopVI = `và của là có các những một được trong cho với để khi không này đó từ tại theo về ra vào trên dưới đến do bị bởi
		nhưng hoặc hay nếu thì mà như cũng đã đang sẽ rất hơn nhất cần phải nên vì sau trước giữa ngoài qua lại chỉ mỗi mọi
		nhiều ít cùng còn vẫn đều ở rằng sự việc cách đây kia gì nào bao chúng tôi ta họ nó anh chị ông bà mình bằng thế
		nữa luôn vừa mới chưa từng hiện nay đối tuy nhưng dù`
	stopFR = `le la les l un une des du de d et en à au aux dans par pour sur avec sans sous est sont être a ont avoir été était
		ce cet cette ces qui que qu dont où ne pas plus moins se s il elle ils elles on nous vous je leur leurs son sa ses notre nos
		votre vos mais ou si comme ainsi afin entre vers chez depuis pendant lors très peu tout tous toute toutes autre autres même
		aussi encore déjà donc ni y n c j m t fait faire peut peuvent doit doivent`
	stopEN = `the a an of and or to in on at by for from with without is are was were be been being has have had do does did it its
		this that these those as if then than so not no nor but can could may might must shall should will would which who whom whose
		what when where why how all any both each few more most other some such only own same too very into through during before
		after above below between under over again further once here there about against up down out off also via per we our us you
		your they their them he she him his her hers himself herself i my me etc ie eg`
	stopKO = `합니 니다 하는 하고 하여 하며 한다 했다 된다 되는 되어 있는 있다 있으 으로 에서 에게 까지 부터 위한 위해 대한 대해 통해 통한 따라 따른
		또한 그리 리고 이를 이는 것을 것이 것은 수 있 등의 등을 및 의 가 이 은 는 을 를 에 와 과 도 로 습니 입니 였다 였습 되었 됩니 하였 하기 며 고`
	stopZH = `我们 你们 他们 以及 一种 一个 可以 能够 进行 通过 由于 因此 但是 如果 这个 这种 该 的 了 是 在 和 与 或 及 对 为 有 等 中 也 不 就 都 而 其 之 于 从 到 把 被 将 并 更 很 最`
)

// particles are what Korean puts behind a noun, one syllable long.
var particles = set("은", "는", "이", "가", "을", "를", "에", "의", "도", "로", "와", "과")

var (
	stopWords = latinSet(stopVI, stopFR, stopEN)
	stopPairs = set(strings.Fields(stopKO + " " + stopZH)...)
)

// The languages in which an unaccented word is one of grammar.
const (
	inEnglish = 1 << iota
	inFrench
	inVietnamese // as it is typed without accents
)

// grammar tells for each unaccented word of grammar in which languages it is one.
var grammar = func() map[string]uint8 {
	m := map[string]uint8{}
	for bit, list := range map[uint8]string{inEnglish: stopEN, inFrench: stopFR, inVietnamese: Fold(stopVI)} {
		for w := range latinSet(list) {
			m[w] |= bit
		}
	}
	return m
}()

// latinSet returns the exact forms of the words, as Scan gives them.
func latinSet(lists ...string) map[string]bool {
	m := map[string]bool{}
	Scan(strings.Join(lists, " "), func(a *Atom) bool {
		m[string(a.Exact)] = true
		return true
	})
	return m
}

// IsStopWord reports whether the word, written small, carries no topic in one of the five languages.
func IsStopWord(word string) bool {
	stop := false
	Scan(word, func(a *Atom) bool {
		stop = a.Start == 0 && a.End == len(word) && stopWords[string(a.Exact)]
		return false
	})
	return stop
}
