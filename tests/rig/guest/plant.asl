// The plant's face towards the guest: a thermal zone, a fan and a power meter whose values lie in
// a page of memory that the host shares. The kernel's own ACPI drivers stand between it and the
// guard. The layout of the page is `Page` in src/page.rs.
DefinitionBlock ("", "SSDT", 2, "FLYBAL", "PLANT", 1)
{
  Scope (\_SB)
  {
    OperationRegion (PLNT, SystemMemory, 0x10000000, 0x100)
    Field (PLNT, DWordAcc, NoLock, Preserve)
    {
      TEMP, 32,   // tenths of a kelvin, by the host
      POWR, 32,   // milliwatts, by the host
      CAPW, 32,   // milliwatts, by the guest
      FANL, 32,   // 0 to 100, by the guest
      FRPM, 32,   // revolutions a minute, by the host
      BEAT, 32    // looks at the temperature, counted by the guest
    }
    Device (FAN0)
    {
      Name (_HID, EisaId ("PNP0C0B"))
      Name (_UID, 0)
      Name (_FIF, Package () { 0, 1, 1, 1 })
      Name (_FPS, Package () { 0,
        Package () { 0, 0xFFFFFFFF, 0, 0, 0 },
        Package () { 30, 0xFFFFFFFF, 3000, 0, 0 },
        Package () { 60, 0xFFFFFFFF, 6000, 0, 0 },
        Package () { 100, 0xFFFFFFFF, 10000, 0, 0 } })
      Method (_FSL, 1, Serialized) { Store (Arg0, FANL) }
      Method (_FST, 0, Serialized) { Return (Package () { 0, FANL, FRPM }) }
    }
    Device (PMTR)
    {
      Name (_HID, "ACPI000D")
      Name (_UID, 0)
      Method (_PMC, 0) { Return (Package () { 0x0000000d, 0, 1, 90000, 1000, 1000, 1000, 5000,
        One, 50000, 400000, "PlantMeter", "SN1", "OEM" }) }
      Method (_PMM, 0) { Return (POWR) }
      Method (_PAI, 1) { Return (Zero) }
      Method (_GAI, 0) { Return (1000) }
      Method (_PTP, 2) { Return (Zero) }
      Method (_PMD, 0) { Return (Package () { \_SB }) }
      Method (_GHL, 0) { Return (CAPW) }
      Method (_SHL, 1) { Store (Arg0, CAPW) Return (Zero) }
    }
  }
  Scope (\_TZ)
  {
    ThermalZone (TZ0)
    {
      Method (_TMP, 0, Serialized) { Increment (\_SB.BEAT) Return (\_SB.TEMP) }
      Method (_CRT, 0) { Return (3782) }   // 105.0 °C: the kernel powers off
      Method (_HOT, 0) { Return (3682) }   // 95.0 °C
      Method (_AC0, 0) { Return (3582) }   // 85.0 °C: the kernel's own fan control
      Name (_AL0, Package () { \_SB.FAN0 })
      Name (_TZP, 10)
      Name (_TZD, Package () { \_SB.FAN0 })
    }
  }
}
