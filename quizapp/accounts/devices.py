"""Which browser on which system somebody uses, as two codes: enough to know one's own phone in a list, too little to follow anybody."""

from __future__ import annotations

#: What stands in a browser's name → code; the first that fits. Programs that carry a browser inside come before the browsers.
_BROWSERS = (
    ("wxwork", "wecom"),
    ("micromessenger", "wechat"),
    ("dingtalk", "dingtalk"),
    ("alipay", "alipay"),
    ("qqbrowser", "qq"),
    ("edg", "edge"),
    ("firefox", "firefox"),
    ("fxios", "firefox"),
    ("chrome", "chrome"),
    ("crios", "chrome"),
    ("safari", "safari"),
)
_SYSTEMS = (
    ("harmony", "harmony"),
    ("android", "android"),
    ("iphone", "iphone"),
    ("ipad", "ipad"),
    ("windows", "windows"),
    ("macintosh", "mac"),
    ("linux", "linux"),
)


def device_of(user_agent: str) -> str:
    """The two codes of a browser's name for itself.

    >>> device_of("Mozilla/5.0 (Linux; Android 13; V2148A) AppleWebKit/537.36 Chrome/107 Mobile MicroMessenger/8.0.40")
    'wechat/android'
    """
    name = user_agent.lower()
    browser, system = (next((code for mark, code in marks if mark in name), "other") for marks in (_BROWSERS, _SYSTEMS))
    return f"{browser}/{system}"
