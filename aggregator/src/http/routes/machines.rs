//! Machines and their equipment: what they are and what they are asked to do.

use crate::http::resources::commands::{
    give, ladder, levels, locks, power, self_test, switches, thermal, trips, validate,
};
use crate::http::resources::{
    certificates, devices, enrolment_tokens, fleet_limits, interlocks, limits, operations,
    quarantine,
};
use crate::http::table::Table;

pub(super) fn v1(table: Table) -> Table {
    table
        .get("/api/v1/devices", "List devices", devices::list)
        .post("/api/v1/devices:bulk", "Name, place and label many devices", devices::change::bulk)
        .get("/api/v1/devices/{id}", "One device, its series and actuators", devices::detail)
        .patch("/api/v1/devices/{id}", "Name, place and label a device", devices::change::update)
        .get("/api/v1/devices/{id}/limits", "Limits and their states", limits::list)
        .post(
            "/api/v1/devices/{id}/limits/{limit}/hold",
            "Put steps of a limit's ladder off",
            ladder::hold,
        )
        .post(
            "/api/v1/devices/{id}/limits/{limit}/release",
            "Lift the hold on a limit's ladder",
            ladder::release,
        )
        .get("/api/v1/devices/{id}/self-test", "The last self-test", self_test::status)
        .post(
            "/api/v1/devices/{id}/self-test",
            "Try fans and caps by simulated readings",
            give::<self_test::SelfTestRequest>,
        )
        .get("/api/v1/devices/{id}/fleet-limits", "The fleet's limits", fleet_limits::detail)
        .put("/api/v1/devices/{id}/fleet-limits", "Set the fleet's limits", fleet_limits::replace)
        .get("/api/v1/devices/{id}/interlocks", "Interlocks and conditions", interlocks::list)
        .get("/api/v1/devices/{id}/power", "Switches and power caps", power::status)
        .post(
            "/api/v1/devices/{id}/power",
            "Switch it, or set or clear a power cap",
            give::<power::PowerRequest>,
        )
        .get("/api/v1/devices/{id}/thermal", "Fans and temperatures", thermal::status)
        .post(
            "/api/v1/devices/{id}/thermal",
            "Set or clear a fan floor",
            give::<thermal::ThermalRequest>,
        )
        .get("/api/v1/devices/{id}/trips", "Latched trips", trips::list)
        .post(
            "/api/v1/devices/{id}/trips/clear",
            "Clear a latched trip by its limit",
            give::<trips::TripClearRequest>,
        )
        .post("/api/v1/devices/{id}/trips/{limit}/clear", "Clear a latched trip", trips::clear)
        .get("/api/v1/devices/{id}/locks", "Lock-outs", locks::list)
        .post("/api/v1/devices/{id}/locks", "Set a lock-out", give::<locks::LockRequest>)
        .post("/api/v1/devices/{id}/locks/{lock}/release", "Lift a lock-out", locks::release)
        .post(
            "/api/v1/devices/{id}/indicator",
            "Light the identify light, or put it out",
            give::<switches::IndicatorRequest>,
        )
        .post(
            "/api/v1/devices/{id}/boot-once",
            "Choose the next boot's source",
            give::<switches::BootOnceRequest>,
        )
        .post(
            "/api/v1/devices/{id}/services",
            "Pause, resume, stop or start a service",
            give::<switches::ServiceRequest>,
        )
        .post(
            "/api/v1/devices/{id}/frequency",
            "Set or clear a ceiling of the frequency",
            give::<levels::FrequencyRequest>,
        )
        .post("/api/v1/devices/{id}/profile", "Set a profile", give::<levels::ProfileRequest>)
        .post(
            "/api/v1/devices/{id}/actions:validate",
            "What would the machine say to a command?",
            validate::validate,
        )
        .get("/api/v1/devices/{id}/certificate", "A machine's certificate", certificates::detail)
        .delete(
            "/api/v1/devices/{id}/certificate",
            "Take a machine's certificate back",
            certificates::revoke,
        )
        .post(
            "/api/v1/devices/{id}/release",
            "Let a quarantined machine in again",
            quarantine::release,
        )
        .get("/api/v1/operations", "List operations", operations::list)
        .get("/api/v1/operations/{id}", "One operation", operations::detail)
        .post(
            "/api/v1/operations/{id}/confirm",
            "Confirm what is armed",
            operations::confirm::confirm,
        )
        .get("/api/v1/enrolment-tokens", "List enrolment tokens", enrolment_tokens::list)
        .post("/api/v1/enrolment-tokens", "Make an enrolment token", enrolment_tokens::create)
        .delete("/api/v1/enrolment-tokens/{id}", "Revoke a token", enrolment_tokens::revoke)
}
