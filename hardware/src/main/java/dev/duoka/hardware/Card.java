package dev.duoka.hardware;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One kind of GPU.
 *
 * @param name its name here, for example {@code A100-80G-SXM}
 * @param aliases what others call it
 * @param computeCapability for example 8.0
 * @param memoryGib what a program can use, GiB
 * @param memoryGbs memory bandwidth, GB/s
 * @param peakTflops dense TFLOP/s with fp32 accumulation; a precision that is absent is not there
 * @param achievable what real kernels reach of that
 * @param nvlink direct links to other cards
 * @param pcie the connection to the host
 * @param p2pOverPcie whether the stock driver lets cards reach each other's memory over PCIe
 * @param mostInMachine how many one machine holds at most
 * @param tdpWatts power limit
 * @param sms multiprocessors
 * @param buy prices to buy one
 * @param rent prices of one hour
 * @param source where the specification is from
 * @param uncertain fields whose source is weak
 */
public record Card(
    String name,
    List<String> aliases,
    String computeCapability,
    double memoryGib,
    double memoryGbs,
    Map<NumberFormat, Double> peakTflops,
    Achievable achievable,
    NvLink nvlink,
    Pcie pcie,
    boolean p2pOverPcie,
    int mostInMachine,
    double tdpWatts,
    int sms,
    List<Price> buy,
    List<Price> rent,
    String source,
    List<String> uncertain) {

  public Card {
    aliases = List.copyOf(aliases);
    peakTflops = Map.copyOf(peakTflops);
    buy = List.copyOf(buy);
    rent = List.copyOf(rent);
    uncertain = List.copyOf(uncertain);
  }

  /** The dense peak in FLOP/s; 0 where the card cannot compute so. */
  public double peak(NumberFormat precision) {
    return peakTflops.getOrDefault(precision, 0.0) * 1e12;
  }

  /** Whether the card computes so at all. */
  public boolean has(NumberFormat precision) {
    return peakTflops.containsKey(precision);
  }

  /** The 16-bit arithmetic to train in: bf16 where the card has it. */
  public NumberFormat halfPrecision() {
    return has(NumberFormat.BF16) ? NumberFormat.BF16 : NumberFormat.FP16;
  }

  /** The newest price for a new card, else for a used one. */
  public Optional<Price> buyPrice() {
    return buy.stream()
        .filter(price -> !price.used())
        .max(Comparator.comparing(Price::date))
        .or(() -> buy.stream().max(Comparator.comparing(Price::date)));
  }

  /** The middle one of the rents, the lower of two. */
  public Optional<Price> rentPrice() {
    List<Price> sorted = rent.stream().sorted(Comparator.comparingDouble(Price::usd)).toList();
    return sorted.isEmpty() ? Optional.empty() : Optional.of(sorted.get((sorted.size() - 1) / 2));
  }

  /** Whether it is one that this version can train on. */
  public boolean isNvidia() {
    return !computeCapability.startsWith("gfx");
  }

  /** What a driver's name for it tells beside its rates. */
  public DeviceTraits traits() {
    return new DeviceTraits(computeCapability, pcie.generation(), pcie.lanes(), p2pOverPcie);
  }
}
