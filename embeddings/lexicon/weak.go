package lexicon

import (
	"strings"

	"github.com/ketnoi/ketnoi/engine/text"
)

// Words that stand in any description of any technology and so say little about which: written by us, one list a
// language. They count, but less.
const (
	weakVI = `công nghệ kỹ thuật hệ thống thiết bị phương pháp quy trình sản phẩm sản xuất nghiên cứu phát triển ứng dụng giải pháp
		sử dụng thực hiện đề xuất yêu cầu nhu cầu mục tiêu kết quả hiệu quả chất lượng chi phí giá thành năng suất thời gian
		doanh nghiệp công ty hợp tác xã đơn vị chuyên gia khách hàng thị trường dự án mô hình quá trình khả năng điều kiện
		tăng giảm cao thấp lớn nhỏ tốt mới nhanh trung bình khoảng triệu đồng tấn năm tháng ngày giờ tỉnh huyện xã vùng khu vực
		việt nam hỗ trợ tư vấn đào tạo chuyển giao hợp tác cải thiện nâng cao đảm bảo phù hợp tìm kiếm mong muốn`
	weakFR = `technologie technique système dispositif méthode procédé produit production recherche développement application solution
		utiliser utilisation réaliser proposer besoin objectif résultat efficacité qualité coût prix temps entreprise société unité
		expert client marché projet modèle processus capacité condition augmenter réduire haut bas grand petit bon nouveau rapide
		moyen environ million année mois jour heure région zone permettre permet améliorer assurer adapté niveau type mise place
		œuvre cadre équipe service laboratoire essai étude travaux`
	weakEN = `technology technical technique system device method process product production research develop development application apply
		solution use using user provide perform propose proposed require requirement need objective goal result effective efficiency
		efficient quality cost price time company firm business unit expert customer market project model capability condition
		increase reduce high low large small good new fast rapid average approximately million year month day hour region area
		improve improved ensure suitable level type phase design based include including enable support current potential multiple
		approach work program effort demonstrate feasibility commercial innovative novel advanced performance test testing data
		information analysis tool control power energy material service team laboratory study`
	weakKO = `기술 시스 스템 장치 방법 공정 제품 생산 연구 개발 응용 적용 활용 사용 해결 제안 필요 목표 결과 효과 효율 품질 비용 가격 시간 기업 회사
		업체 전문 문가 고객 시장 사업 과제 모델 과정 조건 증가 감소 향상 개선 지원 수행 제공 분야 수준 지역`
	weakZH = `技术 系统 设备 装置 方法 工艺 产品 生产 研究 开发 应用 使用 解决 方案 提出 需要 需求 目标 结果 效果 效率 质量 成本 价格 时间 企业 公司
		专家 客户 市场 项目 模型 过程 条件 提高 降低 改善 支持 提供 领域 水平 地区 采用 实现 具有 进行`
)

// weak holds the index terms of the lists: folded stems, Vietnamese syllables and their pairs, Han and Hangul pairs.
var weak = func() map[string]bool {
	m := map[string]bool{}
	for _, list := range []string{weakVI, weakFR, weakEN, weakKO, weakZH} {
		for line := range strings.SplitSeq(list, "\n") {
			text.Terms(line, func(term []byte, _, _ int) { m[string(term)] = true })
		}
	}
	return m
}()
