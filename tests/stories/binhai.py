"""滨海新区: the rules of 津滨政办发〔2020〕10号. Office hours 08:30-12:00 and 14:00-17:30, seven a day.

Every due here was counted by hand on the calendar of 2026: 7 working days for general matters, 2 for urgent ones, 240 working minutes to
return an urgent order and 1 working day a general one; the day an order is given does not count."""
import os
import time

from world import DISTRICT, PROFILES, TOWN, U1, U3, U4, clock, due, holds, local, of_type, running, same, story, without_scans

GENERAL, URGENT = "env-litter", "road-manhole"


def accepted(w, category=GENERAL, text="路边垃圾成堆"):
    case = w.report(category, text)
    return w.town.act(case, "accept", to="awaiting_transfer")


def ordered(w, category=GENERAL, unit=U3, **fields):
    """Reported, accepted and given to a unit."""
    return w.town.act(accepted(w, category), "transfer", to="awaiting_take", unit=unit, **fields)


def finished(w, case, unit, kind="handled"):
    unit.act(case, "handle", note="已处置", to="handled")
    return unit.act(case, "feedback", note="处置完毕", result_kind=kind)


def alarms_of(case):
    return [(event["type"], event["fields"]["clock"], local(event["at"])) for event in of_type(case, "warn", "overdue")]


@story("binhai", "a grid member's case goes its whole way", "2026-03-02 09:00")
def whole_case(w):
    w.member.reboot()
    case = w.report(URGENT, "井盖破损，影响通行", photo=True)
    same("step", (case["process"], case["stage"], case["step"]), ("case", "reported", "awaiting_review"))
    same("the channel", case["channel"], "grid_member")
    same("captured at", local(case["captured_at"])[:13], "2026-03-02 09")
    w.town.refused(case, "transfer", 409, "illegal_transition", "transfer is not possible; possible: ", unit=U3)
    w.u03.refused(case, "take", 403, "forbidden")
    w.town.act(case, "accept", to="awaiting_transfer", matter_kind="help")
    w.town.refused(case, "transfer", 422, "missing_field", field="fields.unit")
    w.town.refused(case, "transfer", 422, "out_of_range", "no handling unit", field="fields.unit", unit=TOWN)
    case = w.town.act(case, "transfer", note="请尽快处置", to="awaiting_take", unit=U3)
    # Monday 2 March 09:00: two working days are Tuesday and Wednesday; 240 minutes are 180 until noon and 60 from 14:00.
    same("the clocks", running(case), {"handle": "2026-03-04 17:30", "return": "2026-03-02 15:00"})
    same("whose clock", clock(case, "handle")["unit"], U3)
    holds("its article", "第二十五条（二）" in clock(case, "handle")["article"])
    same("the light", clock(case, "handle")["light"], "green")
    w.u04.refused(case, "take", 403, "forbidden")
    w.u03.act(case, "take", to="taken")
    w.u03.act(case, "contact", contact="已电话联系现场群众")
    w.at("2026-03-02 10:30")
    w.u03.act(case, "arrive", to="arrived")
    case = w.u03.act(case, "handle", note="已更换井盖", to="handled")
    same("the right to return is over", clock(case, "return")["kept"], None)
    holds("the return clock ended", clock(case, "return")["ended"] is not None)
    case = w.u03.act(case, "feedback", note="处置完毕", to="awaiting_verify", result_kind="handled")
    same("kept in time", clock(case, "handle")["kept"], True)
    same("nothing runs", running(case), {})
    w.town.refused(case, "close", 409, "illegal_transition", "close is not possible; possible: ", closing_basis="handled")
    case = w.town.act(case, "request_verify", note="请到现场核查", to="verifying")
    same("who verifies", case["verifier"], w.member.entry["member"])
    w.member.reboot()
    task = w.member.done(case["id"], "confirmed", "现场已恢复")
    same("the task names the case", task["number"], case["number"])
    case = w.reached(case, "verify_passed")
    same("stage", case["stage"], "verified")
    w.town.refused(case, "close", 422, "missing_field", field="fields.closing_basis")
    case = w.town.act(case, "close", note="核查通过，予以结案", to="done", closing_basis="handled")
    same("assessed by itself", (case["stage"], case["fields"]["on_time"], case["scores"]), ("assessed", True, []))
    w.u03.refused(case, "archive", 403, "forbidden")
    case = w.town.act(case, "archive", to="archived", paper_at=w.now())
    holds("it ended", case["ends"])
    same("nothing is possible any more", w.town.offers(case), [])
    w.town.refused(case, "accept", 409, "illegal_transition", "possible: nothing")
    w.events(case, "report", "accept", "transfer", "take", "contact", "arrive", "handle", "feedback", "request_verify", "verify", "close", "assess", "archive")
    same("photos", sorted(media["role"] for media in case["media"])[-1:], ["scene"])
    w.told(case, "已受理", "已转办：规划建设办公室", "已结案：核查通过，予以结案")


@story("binhai", "a work order of hotline 12345 goes its whole way, with call-back and rating", "2026-03-03 10:00")
def work_order(w):
    hotline = w.hotline_12345
    asked = dict(town=TOWN, category=URGENT, channel_reference="TJ12345-20260303-0001", petitioner="张先生", petitioner_phone="13800000000",
                 petitioner_kind="resident", matter_kind="help")
    case = hotline.hand_in("高庄村口井盖缺失", **asked)
    same("step", (case["process"], case["stage"], case["step"], case["channel"]), ("work_order", "accept", "awaiting_intake", "hotline_12345"))
    same("the same number again is the same case", hotline.hand_in("高庄村口井盖缺失", **asked)["id"], case["id"])
    w.u03.refused(case, "take", 403, "forbidden")
    hotline.refused(case, "accept", 403, "forbidden", matter_kind="help")
    w.intake.refused(case, "accept", 422, "missing_field", field="fields.matter_kind")
    w.intake.act(case, "accept", to="awaiting_dispatch", matter_kind="help")
    case = w.intake.act(case, "transfer", to="awaiting_take", unit=U3)
    # Tuesday 10:00: 120 minutes until noon and 120 from 14:00; two working days are Wednesday and Thursday.
    same("the clocks", running(case), {"handle": "2026-03-05 17:30", "return": "2026-03-03 16:00"})
    w.intake.act(case, "phone_notice", contact="规划建设办公室值班室", unit_informed_at=w.now())
    w.u03.act(case, "take", to="taken")
    w.u03.act(case, "contact", contact="13800000000", talked_at=w.now(), citizen_informed_at=w.now())
    w.u03.refused(case, "unit_accept", 422, "missing_field", field="fields.notified_at", valid=True)
    w.u03.refused(case, "unit_accept", 422, "out_of_range", "in the future", field="fields.notified_at", valid=True, notified_at=w.now() + 3_600_000)
    w.u03.act(case, "unit_accept", valid=True, notified_at=w.now())
    w.at("2026-03-04 09:00")
    w.u03.act(case, "handle", note="已安装新井盖", to="handled")
    w.u03.refused(case, "feedback", 422, "missing_field", field="fields.reply", note="办结", result_kind="handled")
    case = w.u03.act(case, "feedback", note="办结", to="awaiting_callback", result_kind="handled", reply="井盖已补装，感谢反映")
    # Wednesday: three working days to call back are Thursday, Friday and Monday.
    same("the clocks", (running(case), clock(case, "handle")["kept"]), ({"callback": "2026-03-09 17:30"}, True))
    w.intake.act(case, "contact", note="无人接听", contact="13800000000")
    same("still to be called", w.case(case)["step"], "awaiting_callback")
    w.u03.refused(case, "call_back", 403, "forbidden", satisfaction="satisfied", satisfaction_by="operator")
    w.intake.refused(case, "call_back", 422, "out_of_range", field="fields.satisfaction", satisfaction="happy", satisfaction_by="operator")
    case = w.intake.act(case, "call_back", to="called_back", satisfaction="satisfied", satisfaction_by="operator", contact="13800000000", talked_at=w.now())
    same("called back in time", clock(case, "callback")["kept"], True)
    case = w.intake.act(case, "close", note="已办结并回访", to="done", closing_basis="handled")
    same("assessed", (case["stage"], case["fields"]["on_time"], case["fields"]["satisfaction"]), ("assess", True, "satisfied"))
    case = w.intake.act(case, "archive", to="archived")
    w.events(case, "report", "accept", "transfer", "phone_notice", "take", "contact", "unit_accept", "warn", "overdue", "handle", "feedback", "contact",
             "call_back", "close", "assess", "archive")
    same("the hotline sees how it ended", hotline.case(case["id"])["step"], "archived")


@story("binhai", "a citizen who is not content: call-back says so, rework, second round, closed", "2026-03-05 09:00")
def unsatisfied(w):
    case = w.intake.hand_in("路灯不亮", town=TOWN, category="road-light", channel="snapshot")
    w.intake.act(case, "accept", matter_kind="help")
    w.intake.act(case, "transfer", unit=U3)
    w.u03.act(case, "take")
    w.u03.act(case, "handle", note="已报修")
    w.u03.act(case, "feedback", note="已报修", result_kind="explained", reply="已列入维修计划")
    case = w.intake.act(case, "call_back", to="unsatisfied", satisfaction="dissatisfied", satisfaction_by="citizen")
    w.intake.refused(case, "rework", 422, "missing_field", field="fields.reason", note="重办")
    w.intake.refused(case, "rework", 422, "out_of_range", field="fields.reason", note="重办", reason="no-such")
    case = w.intake.act(case, "rework", note="群众不满意，重办", to="awaiting_dispatch", reason="unsatisfied")
    same("the second round", (case["round"], case["unit"], running(case)), (2, "", {}))
    w.at("2026-03-06 09:00")
    case = w.intake.act(case, "transfer", to="awaiting_take", unit=U3)
    # Friday: 7 working days are 9, 10, 11, 12, 13, 16, 17 March; one to return it is Monday.
    same("new clocks", running(case), {"handle": "2026-03-17 17:30", "return": "2026-03-09 17:30"})
    same("their round", clock(case, "handle")["round"], 2)
    w.u03.act(case, "take")
    w.u03.act(case, "handle", note="路灯已修复")
    w.u03.act(case, "feedback", note="路灯已修复", result_kind="handled", reply="路灯已修复")
    w.intake.act(case, "call_back", to="called_back", satisfaction="fairly_satisfied", satisfaction_by="operator")
    case = w.intake.act(case, "close", note="办结", to="done", closing_basis="handled")
    same("the profile has no scores", case["scores"], [])


@story("binhai", "rejection: with a reason of 第十一条, told to the member, and over", "2026-03-09 09:00")
def rejection(w):
    case = w.report("dispute", "邻里借款纠纷")
    w.town.refused(case, "reject", 422, "missing_field", field="fields.reason", note="民事纠纷")
    w.town.refused(case, "reject", 422, "out_of_range", "reject_reasons", field="fields.reason", note="民事纠纷", reason="not_duty")
    w.town.refused(case, "reject", 422, "missing_field", field="note", reason="civil_dispute")
    w.superv.refused(case, "reject", 403, "forbidden", note="民事纠纷", reason="civil_dispute")
    case = w.town.act(case, "reject", note="请向法院起诉", to="rejected", reason="civil_dispute")
    same("it ended", (case["ends"], running(case)), (True, {}))
    w.town.refused(case, "accept", 409, "illegal_transition", "possible: nothing")
    w.events(case, "report", "reject")
    w.told(case, "不予受理：行政职权范围以外的民事纠纷。请向法院起诉")
    # A work order says besides when the citizen was told.
    order = w.intake.hand_in("部队营区噪声", town=TOWN, category="noise", channel="hotline_66898890")
    w.intake.refused(order, "reject", 422, "missing_field", field="fields.citizen_informed_at", note="涉军", reason="military")
    w.intake.act(order, "reject", note="涉军", to="rejected", reason="military", citizen_informed_at=w.now())


@story("binhai", "direct reply: answered, closed, assessed, sampled, archived", "2026-03-09 09:20")
def direct_reply(w):
    case = w.report("livelihood", "咨询养老补贴怎样申领")
    w.town.refused(case, "direct_reply", 422, "missing_field", field="fields.reply")
    case = w.town.act(case, "direct_reply", to="replied", reply="请到镇便民服务中心办理")
    same("stage", case["stage"], "verified")
    case = w.town.act(case, "close", to="done", closing_basis="answered")
    holds("no unit had it, so it is neither in time nor late", "on_time" not in case["fields"])
    w.events(case, "report", "direct_reply", "close", "assess")
    # After closing it is sampled, by somebody who did not handle it.
    w.superv.refused(case, "sample", 422, "missing_field", field="fields.outcome", note="抽查")
    case = w.superv.act(case, "sample", note="抽查属实", to="done", outcome="confirmed")
    w.u03.refused(case, "sample", 403, "forbidden", note="抽查", outcome="confirmed")
    w.town.act(case, "archive", to="archived")
    w.superv.refused(case, "sample", 409, "illegal_transition", "possible: nothing", note="抽查", outcome="confirmed")
    w.told(case, "已答复：请到镇便民服务中心办理", "已结案")


@story("binhai", "duplicate: merged into the other one, not into itself", "2026-03-09 09:40")
def duplicate(w):
    first, second = w.report(GENERAL, "垃圾成堆"), w.report(GENERAL, "垃圾成堆，同一处")
    w.town.refused(second, "duplicate", 422, "missing_field", field="fields.target")
    w.town.refused(second, "duplicate", 422, "out_of_range", "is this case itself", field="fields.target", target=second["id"])
    w.town.refused(second, "duplicate", 422, "out_of_range", "no case that you see", field="fields.target",
                   target="00000000-0000-7000-8000-000000000001")
    case = w.town.act(second, "duplicate", note="与前一件相同", to="merged", target=first["id"])
    same("into which", (case["fields"]["target"], case["ends"]), (first["id"], True))
    w.told(second, "与另一件重复，已合并：与前一件相同")
    same("the other goes on", w.case(first)["step"], "awaiting_review")
    w.told(first)


@story("binhai", "void: a test report, with its reason", "2026-03-09 10:00")
def void(w):
    case = w.report(GENERAL, "测试上报")
    w.town.refused(case, "void_case", 422, "missing_field", field="note", reason="test")
    w.town.refused(case, "void_case", 422, "missing_field", field="fields.reason", note="演练")
    case = w.town.act(case, "void_case", note="演练", to="voided", reason="test")
    w.told(case, "已作废：演练")
    other = ordered(w)
    w.town.refused(other, "void_case", 409, "illegal_transition", "void_case is not possible; possible: ", note="演练", reason="test")


@story("binhai", "return in time: asked, confirmed by the head, granted, given to the other unit", "2026-03-10 09:00")
def returned(w):
    case = ordered(w, URGENT)
    same("the clocks", running(case), {"handle": "2026-03-12 17:30", "return": "2026-03-10 15:00"})
    w.u03.act(case, "take", to="taken")
    w.at("2026-03-10 14:30")
    w.u03.refused(case, "request_return", 422, "missing_field", field="fields.legal_basis", note="非本单位职责", reason="not_duty", suggested_unit=U4)
    w.u03.refused(case, "confirm_return", 409, "illegal_transition", "confirm_return is not possible; possible: ")
    case = w.u03.act(case, "request_return", note="非本单位职责", to="return_review", reason="not_duty", legal_basis="三定方案第四条", suggested_unit=U4)
    same("what waits", [(row["what"], row["by"], row["confirmed_by"]) for row in case["requests"]], [("return", "u03", "")])
    # The second person: neither the desk alone nor who asked.
    w.town.refused(case, "grant_return", 409, "illegal_transition", "return was not confirmed by a second person")
    same("the desk sees why not", w.town.blocked(case, "grant_return"), "stage transferred, step return_review: return was not confirmed by a second person")
    w.u03.refused(case, "confirm_return", 403, "forbidden")
    w.u04l.refused(case, "confirm_return", 403, "forbidden")
    case = w.u03l.act(case, "confirm_return", to="return_review")
    w.u03l.refused(case, "confirm_return", 409, "illegal_transition", "confirmed already")
    w.at("2026-03-11 09:00")  # the desk has no limit
    case = w.town.act(case, "grant_return", to="awaiting_transfer")
    same("nobody has it", (case["unit"], running(case), case["requests"]), ("", {}, []))
    case = w.town.act(case, "transfer", to="awaiting_take", unit=U4)
    # Wednesday: Thursday and Friday; 180 + 60 minutes.
    same("the other's clocks", running(case), {"handle": "2026-03-13 17:30", "return": "2026-03-11 15:00"})
    w.u03.refused(case, "take", 403, "forbidden")
    w.u04.act(case, "take", to="taken")
    w.told(case, "已受理", "已转办：规划建设办公室", "已转办：农业农村办公室")


@story("binhai", "return refused: too late after 4 working hours (B9), and not granted", "2026-03-12 09:00")
def return_late(w):
    case, other = ordered(w, URGENT), ordered(w, URGENT)
    asked = dict(note="非本单位职责", reason="not_duty", legal_basis="三定方案第四条", suggested_unit=U4)
    same("until when", due(case, "return"), "2026-03-12 15:00")
    w.at("2026-03-12 14:57")
    w.u03.act(other, "request_return", to="return_review", **asked)
    w.at("2026-03-12 15:01")
    w.happened(case, "overdue")
    problem = w.u03.refused(case, "request_return", 409, "illegal_transition", **asked)
    holds(f"says that the limit is over: {problem['detail']}", "return" in problem["detail"])
    same("what is possible instead", [act for act in w.u03.offers(case) if act != "assist"], ["take"])
    # Asked in time, but the head confirms too late: it stays with the unit.
    w.happened(other, "overdue")
    w.u03l.refused(other, "confirm_return", 409, "illegal_transition")
    case = w.town.act(other, "refuse_return", note="属本单位职责", to="awaiting_take")
    same("the order goes on", (case["unit"], running(case)), (U3, {"handle": "2026-03-16 17:30"}))
    # The right to return that ran out is no lateness: nobody is told so.
    same("not overdue", (case["overdue"], w.case(other)["overdue"]), (False, False))
    w.told(case, "已受理", "已转办：规划建设办公室")
    w.u03.act(case, "take", to="taken")


@story("binhai", "whistle: lead and assisting units, no return after it (A21), no check before all fed back", "2026-03-16 09:00")
def whistle(w):
    case = ordered(w, unit=U1)
    w.u01.act(case, "take", to="taken")
    w.u01.refused(case, "whistle", 403, "forbidden", note="多部门")
    case = w.town.act(case, "whistle", note="涉及多个部门", to="joint_meeting", assisting_units=[U3, U4])
    same("the clocks stand still", running(case), {"handle": None, "return": None})
    w.at("2026-03-17 10:00")
    w.town.refused(case, "decide_lead", 422, "missing_field", field="fields.participants", unit=U3, minutes="定规建办主责")
    w.town.refused(case, "decide_lead", 422, "out_of_range", "does not assist itself", field="fields.assisting_units", unit=U3,
                   assisting_units=[U3], participants=["规建办", "农办"], minutes="定规建办主责")
    case = w.town.act(case, "decide_lead", to="awaiting_take", unit=U3, assisting_units=[U4], participants=["规建办", "农办"], minutes="定规建办主责")
    # Tuesday 17 March: 18, 19, 20, 23, 24, 25, 26. No clock to return it.
    same("the clocks", running(case), {"handle": "2026-03-26 17:30"})
    w.u03.refused(case, "request_return", 409, "illegal_transition", "a joint meeting decided the lead", note="推诿", reason="not_duty",
                  legal_basis="无", suggested_unit=U1)
    same("the unit sees why not", "a joint meeting decided the lead" in w.u03.blocked(case, "request_return"), True)
    w.u01.refused(case, "take", 403, "forbidden")
    w.u03.act(case, "take", to="taken")
    case = finished(w, case, w.u03)
    same("step", case["step"], "awaiting_verify")
    w.town.refused(case, "request_verify", 409, "illegal_transition", f"no feedback yet of {U4}")
    w.u03.refused(case, "assist", 403, "forbidden", note="已配合")
    w.u04.act(case, "assist", note="已配合清淤", to="awaiting_verify")
    w.town.act(case, "request_verify", to="verifying")
    w.member.done(case["id"], "confirmed", "已恢复", photo=False)
    w.reached(case, "verify_passed")
    case = w.town.act(case, "close", to="done", closing_basis="handled")
    same("on time, of the lead's clock", case["fields"]["on_time"], True)
    w.told(case, "已受理", "已转办：综合执法大队", "已转办：规划建设办公室", "已结案")


@story("binhai", "whistle taken back: to the step before, the clocks go on", "2026-03-18 09:00")
def whistle_back(w):
    case = ordered(w, unit=U1)  # Wednesday: 19, 20, 23, 24, 25, 26, 27
    same("the due", due(case, "handle"), "2026-03-27 17:30")
    w.u01.act(case, "take")
    w.town.act(case, "whistle", note="涉及多个部门", to="joint_meeting")
    w.at("2026-03-19 10:00")
    case = w.town.act(case, "resume", note="会前已明确", to="taken")
    # One working day stood still: 19 March. Both clocks get one more.
    same("the clocks", running(case), {"handle": "2026-03-30 17:30", "return": "2026-03-20 17:30"})


@story("binhai", "extension: asked a working day before the due, over Qingming; later refused (B5)", "2026-03-30 09:00")
def extension(w):
    case, late = ordered(w), ordered(w)
    order = w.hotline_12345.hand_in("小区噪声", town=TOWN, category="noise")
    w.intake.act(order, "accept", matter_kind="hot_issue")
    order = w.intake.act(order, "transfer", unit=U1)
    # Monday 30 March: 31, 1, 2, 3 April, then 4 to 6 are Qingming, 7, 8, 9.
    for one in (case, late, order):
        same("the due", due(one, "handle"), "2026-04-09 17:30")
    w.u03.act(case, "take"), w.u03.act(late, "take"), w.u01.act(order, "take")
    w.at("2026-04-08 17:00")
    asked = dict(note="情况复杂", reason="complicated")
    w.u03.refused(case, "request_extension", 422, "missing_field", field="fields.citizen_informed_at", **asked)
    w.u03.act(case, "request_extension", to="taken", citizen_informed_at=w.now(), **asked)
    w.u03.refused(case, "request_extension", 409, "illegal_transition", "was asked for and is not answered yet", citizen_informed_at=w.now(), **asked)
    w.u01.act(order, "request_extension", citizen_informed_at=w.now(), **asked)
    w.at("2026-04-08 17:31")
    w.u03.refused(late, "request_extension", 409, "illegal_transition", "must come by 2026-04-08 17:30, 1 working day(s) before handle ends (2026-04-09 17:30)",
                  citizen_informed_at=w.now(), **asked)
    holds("the unit sees until when", "must come by 2026-04-08 17:30" in w.u03.blocked(late, "request_extension"))
    w.u03.refused(case, "grant_extension", 403, "forbidden")
    case = w.town.act(case, "grant_extension", to="taken")
    # Seven more from the due before: 10, 13, 14, 15, 16, 17, 20.
    same("the new due", running(case), {"handle": "2026-04-20 17:30"})
    same("answered", case["requests"], [])
    # What came from the city says when the city and the unit were told.
    w.intake.refused(order, "grant_extension", 422, "missing_field", field="fields.city_informed_at")
    order = w.intake.act(order, "grant_extension", city_informed_at=w.now(), unit_informed_at=w.now())
    same("the new due", due(order, "handle"), "2026-04-20 17:30")
    # Refused, it stays as it was.
    w.at("2026-04-09 10:00")
    same("the other's due", due(w.case(late), "handle"), "2026-04-09 17:30")
    finished(w, late, w.u03)
    finished(w, case, w.u03)


@story("binhai", "suspension: the clocks stand still for days, and the due moves by as many", "2026-04-13 09:00")
def suspension(w):
    case = ordered(w)  # Monday 13 April: 14, 15, 16, 17, 20, 21, 22
    same("the clocks", running(case), {"handle": "2026-04-22 17:30", "return": "2026-04-14 17:30"})
    w.u03.act(case, "take")
    w.u03.refused(case, "request_suspension", 422, "out_of_range", field="fields.reason", note="缺钱", reason="no_money")
    w.u03.act(case, "request_suspension", note="连续降雨", to="taken", reason="season")
    w.u03.refused(case, "grant_suspension", 403, "forbidden")
    w.at("2026-04-14 10:00")
    case = w.leader.act(case, "grant_suspension", to="suspended")
    same("the clocks stand still", (running(case), case["due_at"]), ({"handle": None, "return": None}, None))
    same("paused", clock(case, "handle")["paused"], True)
    w.u03.refused(case, "handle", 409, "illegal_transition", "handle is not possible; possible: ", note="已处置")
    w.at("2026-04-17 10:00")
    case = w.u03.act(case, "resume", note="雨停", to="taken")
    # Wednesday to Friday stood still, three working days: 23, 24, 27 April for the one, 15, 16, 17 for the other.
    same("the clocks", running(case), {"handle": "2026-04-27 17:30", "return": "2026-04-17 17:30"})
    same("nothing was said of a due meanwhile", of_type(case, "overdue"), [])
    w.at("2026-04-27 17:20")
    w.happened(case, "warn", 2)  # the return's and this one's
    case = finished(w, case, w.u03)
    same("kept", clock(case, "handle")["kept"], True)


@story("binhai", "urged, supervised, reminded, instructed, brought before the head", "2026-05-06 09:00")
def pressed(w):
    case = ordered(w)
    w.u03.refused(case, "urge", 403, "forbidden", note="催办")
    w.superv.refused(case, "urge", 422, "missing_field", field="note")
    w.superv.act(case, "urge", note="请尽快接单", to="awaiting_take")
    w.town.act(case, "remind", contact="规建办值班室", talked_at=w.now())
    w.u03.act(case, "take", to="taken")
    w.leader.refused(case, "instruct", 403, "forbidden", instruction="尽快办理")  # a leader of the town is not of the unit
    w.u03l.act(case, "instruct", instruction="两日内办结", to="taken")
    w.u03.act(case, "escalate_to_head", note="涉及面广", reason="large_effect", to="taken")
    w.superv.refused(case, "supervise", 422, "missing_field", field="fields.supervise_kind", note="督办")
    w.superv.refused(case, "supervise", 422, "missing_field", field="fields.trigger", note="督办", supervise_kind="two_offices")
    case = w.superv.act(case, "supervise", note="督办", to="taken", supervise_kind="two_offices", trigger="procedure")
    same("of what kind", (case["fields"]["supervise_kind"], case["fields"]["trigger"]), ("two_offices", "procedure"))
    # Wednesday 6 May after the holidays: 7, 8, then Saturday the 9th is a working day, 11, 12, 13, 14.
    same("the due stays", due(case, "handle"), "2026-05-14 17:30")
    w.events(case, "report", "accept", "transfer", "urge", "remind", "take", "instruct", "escalate_to_head", "supervise")
    finished(w, case, w.u03)


@story("binhai", "escalated to the district's desk and given down again", "2026-05-06 10:00")
def escalated(w):
    case = w.report(GENERAL, "跨镇河道垃圾")
    w.town.refused(case, "escalate", 422, "out_of_range", "one level at a time", field="fields.level", note="超出本镇", level=5)
    case = w.town.act(case, "escalate", note="超出本镇能力", to="awaiting_review")
    same("who has it", (case["holder"], case["fields"]["level"]), (DISTRICT, 4))
    w.town.refused(case, "accept", 403, "forbidden", "for the desk that has the case, or one above it")
    same("the town may not", "accept" in w.town.offers(case), False)
    w.coord.act(case, "triage", importance="important", urgency="general")
    case = w.coord.act(case, "assign_down", note="由镇负责", to="awaiting_review")
    same("who has it", (case["holder"], case["fields"]["level"]), (f"{DISTRICT}/{TOWN}", 3))
    w.town.act(case, "accept", to="awaiting_transfer")
    w.told(case, "已受理")


@story("binhai", "a clue handed on, after it was talked over (第四十六条)", "2026-05-06 10:30")
def clue(w):
    case = ordered(w)
    w.superv.refused(case, "clue", 422, "missing_field", field="fields.talked_at", clue_target="district_office", facts="推诿扯皮")
    w.superv.refused(case, "clue", 422, "out_of_range", field="fields.clue_target", clue_target="nobody", talked_at=w.now(), facts="推诿扯皮")
    w.u03.refused(case, "clue", 403, "forbidden", clue_target="district_office", talked_at=w.now(), facts="推诿扯皮")
    case = w.superv.act(case, "clue", to="awaiting_take", clue_target="district_office", talked_at=w.now(), facts="推诿扯皮")
    same("to whom", case["fields"]["clue_target"], "district_office")
    w.u03.act(case, "take")
    finished(w, case, w.u03)


@story("binhai", "the check fails: rework, second round, then cannot be checked, then passes", "2026-05-11 09:00")
def check_fails(w):
    case = ordered(w)
    w.u03.act(case, "take")
    finished(w, case, w.u03)
    w.town.act(case, "request_verify", to="verifying")
    w.town.refused(case, "desk_verify", 422, "missing_field", "0 files", field="media", note="回访", verify_method="callback", outcome="confirmed")
    w.member.done(case["id"], "not_rectified", "垃圾还在")
    case = w.reached(case, "verify_failed")
    same("what the check says", case["verify_outcome"], "not_rectified")
    w.town.refused(case, "close", 409, "illegal_transition", "close is not possible; possible: ", closing_basis="handled")
    w.town.refused(case, "request_verify", 409, "illegal_transition", "cannot_check")
    case = w.town.act(case, "rework", note="退回重办", to="awaiting_transfer", reason="below_standard")
    same("the second round", (case["round"], case["unit"], case["verify_outcome"], running(case)), (2, "", None, {}))
    case = w.town.act(case, "transfer", to="awaiting_take", unit=U1)
    same("the due", due(case, "handle"), "2026-05-20 17:30")  # 12, 13, 14, 15, 18, 19, 20
    w.u01.act(case, "take")
    finished(w, case, w.u01)
    w.town.act(case, "request_verify", to="verifying")
    w.member.done(case["id"], "cannot_check", "大门锁着", photo=False)
    w.reached(case, "verify_failed")
    w.town.act(case, "request_verify", to="verifying")
    w.member.done(case["id"], "confirmed", "已清理")
    w.reached(case, "verify_passed")
    case = w.town.act(case, "call_back", to="verify_passed", satisfaction="satisfied", satisfaction_by="operator")
    case = w.town.act(case, "close", to="done", closing_basis="handled")
    same("on time", case["fields"]["on_time"], True)
    w.told(case, "已受理", "已转办：规划建设办公室", "已转办：综合执法大队", "已结案")


@story("binhai", "overdue: warned of, then late, each once and in order; the member hears it", "2026-05-18 09:00")
def overdue(w):
    case = ordered(w, URGENT)  # Monday: Tuesday and Wednesday; 240 minutes from 09:00
    same("the clocks", running(case), {"handle": "2026-05-20 17:30", "return": "2026-05-18 15:00"})
    w.u03.act(case, "take")
    # Yellow above 80 %: 192 of 240 minutes are 180 until noon and 12 from 14:00.
    w.at("2026-05-18 14:11")
    time.sleep(1.2)
    same("not yet", of_type(w.case(case), "warn"), [])
    w.at("2026-05-18 14:14")
    same("the return's", of_type(w.happened(case, "warn"), "warn")[0]["fields"], {"clock": "return"})
    w.at("2026-05-18 15:02")
    case = w.happened(case, "overdue")
    same("the right to return ran out", of_type(case, "overdue")[0]["fields"], {"clock": "return"})
    same("which is no lateness", (case["overdue"], running(case)), (False, {"handle": "2026-05-20 17:30"}))
    # 80 % of two days of seven hours are 11.2 hours: all of Tuesday and 4.2 of Wednesday, to 14:42.
    w.at("2026-05-20 14:41")
    time.sleep(1.2)
    same("still green", clock(w.case(case), "handle")["light"], "green")
    w.at("2026-05-20 14:43")
    case = w.happened(case, "warn", 2)
    same("yellow", (clock(case, "handle")["light"], local(of_type(case, "warn")[1]["at"])), ("yellow", "2026-05-20 14:42"))
    w.at("2026-05-20 17:29")
    time.sleep(1.2)
    same("still in time", of_type(w.case(case), "overdue")[1:], [])
    w.at("2026-05-20 17:31")
    case = w.happened(case, "overdue", 2)
    same("red", (case["overdue"], clock(case, "handle")["overdue"], clock(case, "handle")["light"]), (True, True, "red"))
    late = of_type(case, "overdue")[1]
    same("by whom, of what, when", (late["actor"]["role"], late["fields"], local(late["at"])), ("system", {"clock": "handle"}, "2026-05-20 17:30"))
    holds("in the list of what is late", case["id"] in [row["id"] for row in w.town.get("/api/cases?overdue=1&limit=200")["cases"]])
    w.events(case, "report", "accept", "transfer", "take", "warn", "overdue", "warn", "overdue")
    w.told(case, "已受理", "已转办：规划建设办公室", "已超期：办结")
    case = finished(w, case, w.u03)
    same("not kept", clock(case, "handle")["kept"], False)
    w.town.act(case, "request_verify")
    w.member.done(case["id"], "confirmed", "已恢复", photo=False)
    w.reached(case, "verify_passed")
    case = w.town.act(case, "close", to="done", closing_basis="handled")
    same("assessed: late", case["fields"]["on_time"], False)


@story("binhai", "deadlines survive a stopped server, and catch up in their order", "2026-06-01 09:00")
def catch_up(w):
    urgent, general = ordered(w, URGENT), ordered(w, GENERAL)
    # Monday 1 June: 2, 3; and 2, 3, 4, 5, 8, 9, 10.
    same("the clocks", running(urgent), {"handle": "2026-06-03 17:30", "return": "2026-06-01 15:00"})
    same("the clocks", running(general), {"handle": "2026-06-10 17:30", "return": "2026-06-02 17:30"})
    w.stop_server()
    w.at("2026-06-09 10:00")
    w.start_server()
    case = w.happened(urgent, "overdue", 2)
    # 80 % as in the story before: 14:12 of the day, and 14:42 of the second day.
    same("the urgent one's", alarms_of(case), [("warn", "return", "2026-06-01 14:12"), ("overdue", "return", "2026-06-01 15:00"),
                                               ("warn", "handle", "2026-06-03 14:42"), ("overdue", "handle", "2026-06-03 17:30")])
    holds("each recorded when the server knew", all(local(event["recorded"])[:15] == "2026-06-09 10:0" for event in case["events"][3:]))
    case = w.happened(general, "overdue")
    # One day of seven hours: 80 % are 5.6 hours, 3.5 in the morning and 2.1 from 14:00.
    same("the general one's", alarms_of(case), [("warn", "return", "2026-06-02 16:06"), ("overdue", "return", "2026-06-02 17:30")])
    w.stop_server()
    w.at("2026-06-11 09:00")
    w.start_server()
    case = w.happened(general, "overdue", 2)
    # Seven days: 39.2 of 49 hours are five days and 4.2 hours of the sixth, which is 9 June.
    same("the general one's", alarms_of(case), [("warn", "return", "2026-06-02 16:06"), ("overdue", "return", "2026-06-02 17:30"),
                                                ("warn", "handle", "2026-06-09 14:42"), ("overdue", "handle", "2026-06-10 17:30")])
    same("the urgent one was told nothing twice", len(w.case(urgent)["events"]), 7)
    w.member.reboot()  # for the server it is days since it was heard of; its hello brings what waits
    w.told(urgent, "已受理", "已转办：规划建设办公室", "已超期：办结")
    w.told(general, "已受理", "已转办：规划建设办公室", "已超期：办结")


@story("binhai", "coordination: drafted; the list needs its scan, which no API takes yet; voided", "2026-06-12 09:00")
def coordination(w):
    case = w.intake.hand_in("河道清淤责任不清", town=TOWN, category="water-leak", channel="whistle")
    same("step", (case["process"], case["stage"], case["step"]), ("coordination", "list", "drafting"))
    w.intake.refused(case, "draft_list", 422, "missing_field", "0 files of role scan, at least 1", field="media", note="责任清单")
    w.intake.refused(case, "hold_meeting", 409, "illegal_transition", "hold_meeting is not possible; possible: ", participants=["三部门"])
    w.intake.act(case, "void_case", note="改由镇处理", to="voided", reason="mistake")


@story("binhai", "coordination, its whole way (the scans left out of the profile until the API takes files)", "2026-06-15 09:00")
def coordination_whole(w):
    w.stop_server()
    w.start_server(without_scans(w, "binhai"))
    try:
        case = w.intake.hand_in("河道清淤责任不清", town=TOWN, category="water-leak", channel="whistle")
        w.intake.act(case, "draft_list", note="责任清单", to="awaiting_approval", suggested_unit=U4)
        w.coord.refused(case, "approve_list", 403, "forbidden")
        w.dleader.act(case, "instruct", to="drafting", instruction="补充责任人")
        w.intake.act(case, "draft_list", note="责任清单二稿", to="awaiting_approval")
        w.dleader.act(case, "approve_list", to="awaiting_meeting")
        w.intake.refused(case, "hold_meeting", 422, "missing_field", field="fields.participants")
        w.intake.act(case, "hold_meeting", to="awaiting_minutes", participants=["农办", "规建办"])
        w.intake.act(case, "file_minutes", to="awaiting_orders", minutes="农办主责")
        case = w.intake.act(case, "transfer", to="supervising", unit=U4, assisting_units=[U3])
        same("the clocks", running(case), {"handle": "2026-06-17 17:30"})  # Monday, urgent: Tuesday and Wednesday
        w.superv.act(case, "supervise", note="跟进", to="supervising", supervise_kind="normal")
        w.intake.refused(case, "close", 409, "illegal_transition", "nothing was fed back", note="完成", closing_basis="handled")
        case = w.u04.act(case, "feedback", note="清淤完毕", to="supervising", result_kind="handled")
        same("kept", clock(case, "handle")["kept"], True)
        w.intake.refused(case, "close", 409, "illegal_transition", f"no feedback yet of {U3}", note="完成", closing_basis="handled")
        w.u03.act(case, "assist", note="已配合", to="supervising")
        w.intake.act(case, "close", note="完成", to="awaiting_archive", closing_basis="handled")
        w.intake.act(case, "archive", to="archived")
        w.events(case, "report", "draft_list", "instruct", "draft_list", "approve_list", "hold_meeting", "file_minutes", "transfer", "supervise",
                 "feedback", "assist", "close", "archive")
    finally:
        w.stop_server()
        w.start_server(os.path.join(PROFILES, "binhai.json"))
