"""The words for browsers and systems; names of products stay as they are."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

_BROWSERS = {
    "wecom": _l("企业微信"),
    "wechat": _l("微信"),
    "dingtalk": _l("钉钉"),
    "alipay": _l("支付宝"),
    "qq": _l("QQ 浏览器"),
    "edge": "Edge",
    "firefox": "Firefox",
    "chrome": "Chrome",
    "safari": "Safari",
}
_SYSTEMS = {
    "harmony": _l("鸿蒙"),
    "android": _l("安卓手机"),
    "iphone": "iPhone",
    "ipad": "iPad",
    "windows": _l("Windows 电脑"),
    "mac": _l("苹果电脑"),
    "linux": _l("Linux 电脑"),
}


def device_words(device: str) -> str:
    """What somebody calls the device of a sign-in."""
    browser, _sep, system = device.partition("/")
    named = _BROWSERS.get(browser) or _("别的浏览器"), _SYSTEMS.get(system) or _("别的设备")
    return " · ".join(map(str, named))
