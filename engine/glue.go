package engine

import "strings"

// glue are the words that a sentence of a narrative may use beside the phrases of its facts, by kind of fact and language. They
// claim nothing of themselves: none of them denies, compares, counts, promises or judges. Those of Korean and Chinese are taken
// out wherever they stand, so that particles may follow a phrase.
var glue = map[string]map[string]string{
	"": {
		"vi": "và với của là có trong về này đó được tại ở nói rằng cũng",
		"fr": "et de des du d la le les l un une à au aux en dans sur que qui est sont par pour ce cette",
		"en": "and of the a an to in on at by is are that which it its this for with as",
		"ko": "은 는 이 가 을 를 의 에 에서 와 과 로 으로 도 및 입니다 있습니다 합니다 이며 하며 고",
		"zh": "和 与 的 是 在 了 于 有 其 该 这 均 也 并 为",
	},
	factShared: {
		"vi": "hai bên đều cùng nhắc đến đề cập chung lĩnh vực khái niệm từ ngữ nhu cầu ứng viên",
		"fr": "tous deux parlent évoquent citent nomment commun commune communs domaine sujet sujets concept concepts mot mots besoin candidat",
		"en": "both sides two name mention share speak shared common field subject concept concepts word words need candidate",
		"ko": "양측 모두 공통 언급 분야 개념 단어 수요 후보 다룹니다 공유 함께",
		"zh": "双方 都 提到 提及 共同 领域 概念 用词 需求 候选 涉及",
	},
	factNear: {
		"vi": "gần liên quan với nhu cầu ứng viên khái niệm", "fr": "proche proches lié liés besoin candidat concept concepts sujet sujets", "en": "close related need candidate concept concepts subject",
		"ko": "관련 유사 수요 후보 개념", "zh": "相关 相近 需求 候选 概念",
	},
	factSubject: {
		"vi": "bên hỏi cần nêu viết nhu cầu",
		"fr": "demandeur demande écrit cherche besoin",
		"en": "need asks who writes says seeks wants",
		"ko": "요청자 요청 수요 적었습니다 필요",
		"zh": "提问方 需求 写道 提出 需要",
	},
	factCandidate: {
		"vi": "ứng viên bên được giới thiệu nêu hồ sơ bằng viết mức sẵn sàng đến từ thuộc",
		"fr": "candidat profil écrit rédigé langue maturité niveau vient région fiche indique",
		"en": "candidate profile writes says written language readiness level from comes region listing states",
		"ko": "후보 추천 대상 프로필 작성 언어 성숙도 수준 지역 출신 적었습니다 되어",
		"zh": "候选 推荐 对象 档案 撰写 语言 成熟度 水平 来自 地区 写道 用",
	},
	factSure: {
		"vi": "bằng chứng", "fr": "indices", "en": "evidence", "ko": "근거", "zh": "依据",
	},
}

// glueFor are the words for a sentence on facts of a kind.
func glueFor(kind, reader string) []string {
	return strings.Fields(glue[""][reader] + " " + glue[kind][reader])
}
