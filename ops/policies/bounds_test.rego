package interlock.bounds_test

import data.interlock.bounds

limits := {"joulesPerMillimetreMax": 20, "programSecondsMax": 3600, "spindleMediumRisk": 16000}

cut := {"capability": "laser.cut", "device": "laser-1", "risk": "low", "quantities": {"power": 60, "speed": 20}, "program": null}

mill := {
	"capability": "mill.run-program", "device": "mill-1", "risk": "low",
	"quantities": {"spindle": 12000, "feed": 1500}, "program": {"seconds": 40},
}

decide(request) := result if result := bounds.decision with input as request
	with data.joulesPerMillimetreMax as limits.joulesPerMillimetreMax
	with data.programSecondsMax as limits.programSecondsMax
	with data.spindleMediumRisk as limits.spindleMediumRisk

test_allows_an_ordinary_cut if decide(cut) == {"refusals": [], "risk": "low"}

test_refuses_a_slow_cut_at_high_power if {
	decide(object.union(cut, {"quantities": {"power": 60, "speed": 1}})).refusals == ["energy-per-length"]
}

test_refuses_a_program_of_hours if decide(object.union(mill, {"program": {"seconds": 7200}})).refusals == ["program-too-long"]

test_a_fast_spindle_is_a_medium_risk if {
	decide(object.union(mill, {"quantities": {"spindle": 17000, "feed": 1}})).risk == "medium"
}

test_never_lowers_a_risk if {
	decide(object.union(mill, {"risk": "high", "quantities": {"spindle": 17000, "feed": 1}})).risk == "high"
}

test_decides_nothing_without_its_limits if {
	bounds.decision.refusals == ["no-decision"] with input as cut with data.joulesPerMillimetreMax as "many"
}
