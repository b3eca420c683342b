/// Lets calls go one after the other, as fast as the service allows and no faster.
package actor Pacer {
  package init(rates: RateShares = RateShares(), clock: SteadyClock = .system) {}
}
