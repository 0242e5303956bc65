"""The look of every page: frame, macros, filters, languages, error pages, and the build of the static files.

A page extends `base_phone.html` (residents, trainers) or `base_desk.html` (staff) and takes its parts from macros:

    {% extends "base_phone.html" %}
    {% from "ui/buttons.html" import button %}
    {% from "ui/forms.html" import csrf, field %}
    {% block title %}{{ _("登录") }}{% endblock %}
    {% block main %}
      <h1>{{ _("登录") }}</h1>
      <form method="post" novalidate>{{ csrf() }}{{ field(form.phone, type="tel", autocomplete="username") }}</form>
    {% endblock %}

Blocks. Phone: title, topbar, main (or main_full for the whole width), column_class, bottom, footer, head, scripts. Desk: title,
breadcrumb, heading, subtitle, actions, main, unit_menu, head, scripts; the navigation comes from `registry.navigation`.

Macros, by file in templates/ui/:

buttons.html   button(_("交卷"), name="go", value="submit", busy=_("正在交卷"))     kinds main, secondary, quiet, danger, on-hero
               button_link(_("去答题"), url, kind="secondary", icon_name="scan")
               more_link(_("更多"), url)
messages.html  banner("attention", _("没有网络"), text)                             kinds note, attention, error, success
               error_summary(form)        at the top of a page with a form; takes the focus
               flashes()                  what flask.flash said; the bases call it
               chip(_("合格"), "green", "check")                                    kinds neutral, blue, green, amber, red
               empty_state(title, text, _("新建"), url)
               saved_line("saved", time="14:03")         idle, saving, saved, waiting, offline, refused
forms.html     csrf()
               field(form.phone, helper=…, type="tel", autocomplete="tel", suffix=_("分钟"))
               choices(form.age_band, look="boxes")      boxes, cards, list, row
               checkbox(form.agreed)
               unit_picker(form.unit_id, query=…, results=[…], chosen={…}, browse_url=…, absent_value=0)
               search_box("q", _("查单位"), value=…)
attempt.html   stem_head(_("单选题")) before <fieldset>, stem(text) in it, stem_picture(image), mark_button(marked)
               choice_card("answer", id, text, letter="A", type="checkbox", checked=True)
               choice_card(…, state="right")             open, right, wrong, missed, idle
               choice_pair([card, card])                 true and false
               number_grid([{"number": 7, "url": …, "state": "answered", "marked": True}], current=12)
               feedback(right, title, rationale, citation), citation_words(citation)
lists.html     <ul class="card card-flush list">{{ list_row(title, second, href=url, lead=date_block(day), chips=chip(…)) }}</ul>
               section_head(title, _("全部"), url), facts([(term, text)]), three_figures([{…}]), check_list([{…}]),
               breadcrumb([(text, url), (text, None)]), flow([(name, note)], current)
figures.html   ring(["all", "some", "none", …], "78", _("满分 100"), label), ring_legend(…), mark()
               progress(3, 5, label), figure_card(name, "6,042", _("人"), method, target="6,000", share=1.01)
               dot_interval_axis((0.4, 1.0), target), dot_interval(rate, low, high, (0.4, 1.0), target), interval_sign("below"),
               change_interval_axis(0.3), change_interval(0.1, 0.02, 0.18, 0.3, label)
               bar_chart([{"label": …, "value": …}], caption, word)
               line_over_time(points, scale, label)         points: [{"label", "value", "low", "high"}]
tables.html    {% call table_card(caption) %}<thead>…</thead><tbody>…</tbody>{% endcall %}, hidden_cell()
               {% call filter_bar(clear_url) %}{{ filter_select("quiz", _("测验"), options, value) }}{% endcall %}
               pagination(page, pages, total, url_for_page)
codes.html     qr_block(svg, code, address), typed_code(code), copy_button(text)
frame.html     home_topbar(), inner_topbar(title, back_url), attempt_topbar(…), practice_topbar(…), page_footer(), switches_footer()
               {% call bottom_bar(saved=saved_line(…)) %}one or two buttons{% endcall %}
               {% call sheet("numbers", _("题号")) %}…{% endcall %} opened by <a href="page" data-sheet="numbers">

Filters: day, clock, moment, period, duration, number, percent, interval, masked_name, lang_text, date_parts, ticks, cited (see `filters`).
Globals: icon(name, size), static_url(name), optional_url(endpoint), html_lang(), is_elder(), text_size(), current_path().
Inside `_()` in a template a literal per cent sign is written %%.
"""
