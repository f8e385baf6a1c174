# What the laboratory demands beyond the machine's profile and the job's grant, and how risky a command is. semantic-bounds evaluates it as
# WebAssembly; `data` is the `data` of the control.policies entry `bounds`. Types and units are checked before: quantities are numbers here,
# in the units of the device's profile. An undefined or erroneous decision is a refusal.
package interlock.bounds

default decision := {"refusals": ["no-decision"], "risk": "high"}

# A rule whose limit is missing would refuse nothing: without all of them there is no decision.
decision := {"refusals": sort(refusals), "risk": risk} if {
	is_number(data.joulesPerMillimetreMax)
	is_number(data.programSecondsMax)
	is_number(data.spindleMediumRisk)
}

# A laser that cuts slowly at high power sets its material on fire.
refusals contains "energy-per-length" if {
	input.capability == "laser.cut"
	input.quantities.power > data.joulesPerMillimetreMax * input.quantities.speed
}

# A job that runs for hours is watched by nobody.
refusals contains "program-too-long" if input.program.seconds > data.programSecondsMax

# The device's profile says how risky a capability is; nothing here makes it less so.
risk := "medium" if {
	input.risk == "low"
	input.quantities.spindle > data.spindleMediumRisk
} else := input.risk
