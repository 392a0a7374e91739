"""Characters that a reader takes for one another in small, blurred or stamped print."""

from __future__ import annotations

_GROUPS = """
未末朱 己已巳 土士 日曰目 人入八 大太犬 天夫无 王玉主壬 于干千 午牛 木本术 田由甲申 今令
刀力刁 儿几九 了子孑 万方 厂广 工士土 夕歹 小少 川州 开井 风凤 云去 水永冰 中申 仑仓 爪瓜
免兔 戊戌戍成 间问闻 圆园团 岚岗岭风 晓皖浇 洁浩 洋详样 祥样 清请情晴 青责 辉挥晖 晖辉 明朋
丽两 莉利 伟纬 玮伟 建健键 健建 军车 艳绝 燕蒸 颖颍 娟捐 娜哪 婷停 媛暖 佳住隹 佳往 俊骏 浚俊
峰锋蜂 峰烽 强张 张弦 海每 梅海 敏每 勇男 男勇 涌勇 涛寿 滔蹈 磊晶 鑫金 森林 林木 琳淋 霖淋
春春 香春 秀季 季李 李季 孝李 杏李 宇字 字宇 宁宇 安女 宝玉 宏宠 容客 宪先 宾兵 富高 高商 商高
刘到 孙孔 陈阵 陈陆 杨扬 扬场 汤杨 周同 同周 问周 吴昊 昊吴 吕品 徐除 余佘 佘余 胡湖 郭部 郑邦
何河 罗岁 梁粱 宋宗 宗宋 谢射 韩幹 唐康 康唐 冯马 马冯 鸟乌 乌鸟 董重 萧肃 程稳 曹曾 袁衰 哀袁
邓郑 许计 傅博 博傅 沈沉 沉沈 曾会 彭膨 贾买 买卖 卖买 苏芳 芳苏 卢户 蒋将 蔡祭 丁了 魏巍 薛薜
叶什 阎闫 潘番 戴载 夏复 复夏 钟种 汪江 江汪 田由 任仕 任仟 姜妾 范苑 石右 右石 姚桃 谭潭 廖寥
邹郎 熊态 陆陈 郝赤 孔扎 白自 自白 崔雀 毛手 手毛 邱丘 秦泰 泰秦 史吏 吏史 顾硕 侯候 候侯 邵部
孟盂 龙尤 尤龙 万方 段般 雷雪 雪雷 钱线 汤场 尹伊 黎藜 易昜 常掌 武式 乔齐 贺贸 赖懒 龚袭 文丈
阿何 卜朴 下卜 不下 都郁 热执 合台 台合 曼蔓 提堤 木不 尔东 古吉 吉古 丽而 娅亚 依衣 力刀 江汪
巴已 州洲 局居 林材 草章 新斤 疆强 县具 乡多 镇填 院完 所斯 站占 第弟 学字 校较 医区 处外
冼洗 祁祈 逄逢 仝全 亓元 佟修 邝旷 郄却 芮丙 晁晃 咎昝 眭睦 闵闪 亢元 濮仆 麻床 芩岑 郗希 茆茅
荼茶 诸褚 葛曷 欧殴 阳杨 司同 上土 官宫 宫官 尉慰 迟退 公么 令今 狐孤 慕幕 容客 皇星 甫用
一－- 二= O0〇 o0 l1I|i 5S 8B 2Z 6b 9q
"""


def _pairs() -> frozenset[tuple[str, str]]:
    groups = _GROUPS.split()
    return frozenset((a, b) for group in groups for a in group for b in group if a != b)


SHAPE_ALIKES: frozenset[tuple[str, str]] = _pairs()
"""Ordered pairs of look-alikes, in both directions."""


def _rivals() -> dict[str, tuple[str, ...]]:
    rivals: dict[str, list[str]] = {}
    for a, b in sorted(SHAPE_ALIKES):
        rivals.setdefault(a, []).append(b)
    return {a: tuple(bs) for a, bs in rivals.items()}


RIVALS: dict[str, tuple[str, ...]] = _rivals()
"""Look-alikes of a character."""
