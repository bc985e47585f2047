"""Attributes that shoppers change in words: their values, each with its names in English and Chinese.

The first name in a script stands for the value when a model is asked about it. A name belongs to one value only.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Attributes: TypeAlias = Mapping[str, Sequence[Sequence[str]]]

# fmt: off
STANDARD_ATTRIBUTES: Attributes = {
    "colour": (
        ("black", "黑色", "黑"), ("white", "白色", "白"), ("grey", "gray", "灰色", "灰"), ("red", "红色", "红"),
        ("orange", "橙色", "橘色", "橙"), ("yellow", "黄色", "黄"), ("green", "绿色", "绿"), ("blue", "蓝色", "蓝"),
        ("purple", "violet", "紫色", "紫"), ("pink", "粉色", "粉红色", "粉红", "粉"),
        ("brown", "棕色", "咖啡色", "褐色", "棕"), ("beige", "米色"), ("navy", "navy blue", "藏青色", "藏蓝色"),
        ("gold", "golden", "金色"), ("silver", "银色"), ("turquoise", "青绿色"), ("burgundy", "酒红色"),
        ("khaki", "卡其色"), ("cream", "奶油色"),
    ),
    "pattern": (
        ("plain", "solid", "纯色", "素色"), ("striped", "stripe", "stripes", "条纹", "横条纹", "竖条纹"),
        ("dotted", "polka dot", "polka dots", "dots", "波点", "圆点"),
        ("checked", "plaid", "checkered", "tartan", "checks", "格子", "格纹"), ("floral", "flowered", "碎花", "印花"),
        ("camouflage", "camo", "迷彩"), ("animal print", "leopard print", "豹纹"), ("geometric", "几何"),
        ("paisley", "佩斯利"),
    ),
    "material": (
        ("cotton", "棉质", "纯棉", "棉"), ("linen", "亚麻"), ("wool", "woollen", "woolen", "羊毛"),
        ("silk", "丝绸", "真丝"), ("leather", "皮革", "真皮", "皮质"), ("suede", "麂皮", "绒面革"),
        ("denim", "牛仔布", "牛仔"), ("velvet", "天鹅绒", "丝绒"), ("polyester", "聚酯纤维", "涤纶"),
        ("canvas", "帆布"), ("wood", "wooden", "木质", "木制", "实木"), ("metal", "金属"), ("plastic", "塑料"),
        ("glass", "玻璃"), ("ceramic", "陶瓷"), ("rattan", "wicker", "藤编"), ("stainless steel", "不锈钢"),
    ),
    "kind": (
        ("dress", "连衣裙", "长裙"), ("skirt", "半身裙", "短裙"), ("trousers", "pants", "裤子", "长裤"),
        ("jeans", "牛仔裤"), ("shorts", "短裤"), ("t-shirt", "tshirt", "tee", "T恤", "短袖"), ("shirt", "衬衫"),
        ("blouse", "女式衬衫"), ("sweater", "jumper", "毛衣"), ("jacket", "夹克"), ("coat", "大衣", "外套"),
        ("hat", "帽子"), ("scarf", "围巾"),
        ("sneaker", "sneakers", "trainers", "running shoe", "running shoes", "运动鞋", "跑鞋"),
        ("boot", "boots", "靴子", "短靴"), ("sandal", "sandals", "凉鞋"), ("high heels", "高跟鞋"),
        ("handbag", "purse", "手提包", "女包"), ("backpack", "rucksack", "双肩包", "背包"), ("suitcase", "行李箱"),
        ("watch", "wristwatch", "手表", "腕表"), ("necklace", "项链"), ("ring", "戒指"), ("earrings", "耳环"),
        ("umbrella", "雨伞", "伞"), ("mug", "coffee mug", "马克杯", "咖啡杯"),
        ("bottle", "water bottle", "水瓶", "水壶"), ("lamp", "table lamp", "台灯", "灯具"),
        ("chair", "dining chair", "椅子", "餐椅"), ("table", "桌子"), ("sofa", "couch", "沙发"),
        ("rug", "carpet", "地毯"), ("cushion", "抱枕"), ("phone case", "phone cover", "手机壳", "手机套"),
    ),
}
# fmt: on
