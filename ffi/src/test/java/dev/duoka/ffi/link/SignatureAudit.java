package dev.duoka.ffi.link;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Compares what the Java code binds with the C prototypes. */
public final class SignatureAudit {
  private SignatureAudit() {}

  /** Finds every symbol, at an address that must not be called. */
  public static SymbolLookup everySymbol() {
    return _ -> Optional.of(MemorySegment.ofAddress(0x1000));
  }

  /** One line for each function bound so far that differs from its prototype. */
  public static List<String> mismatches() {
    return mismatches(NativeFunctions.bound(), Prototypes.read());
  }

  static List<String> mismatches(List<BoundFunction> bound, Prototypes prototypes) {
    List<String> mismatches = new ArrayList<>();
    for (BoundFunction function : bound) {
      Prototypes.Prototype prototype = prototypes.of(function.name());
      List<MemoryLayout> arguments = function.type().argumentLayouts();
      boolean fits = fits(prototype.result(), function.type().returnLayout());
      fits &= arguments.size() == prototype.arguments().size();
      for (int i = 0; fits && i < arguments.size(); i++) {
        fits = fits(prototype.arguments().get(i), Optional.of(arguments.get(i)));
      }
      if (!fits) {
        mismatches.add(
            function.name() + " is bound as " + function.type() + " but is " + prototype);
      }
    }
    return mismatches;
  }

  private static boolean fits(Prototypes.Passed passed, Optional<MemoryLayout> layout) {
    if (layout.isEmpty()) {
      return passed == Prototypes.Passed.NOTHING;
    }
    return switch (layout.get()) {
      case AddressLayout _ -> passed == Prototypes.Passed.POINTER;
      // Opaque handles and addresses travel as long.
      case ValueLayout.OfLong _ ->
          passed == Prototypes.Passed.INTEGER_64 || passed == Prototypes.Passed.POINTER;
      case ValueLayout.OfBoolean _ -> passed == Prototypes.Passed.BOOLEAN;
      case ValueLayout.OfInt _ -> passed == Prototypes.Passed.INTEGER_32;
      case ValueLayout.OfDouble _ -> passed == Prototypes.Passed.DOUBLE;
      case ValueLayout.OfFloat _ -> passed == Prototypes.Passed.FLOAT;
      default -> false;
    };
  }
}
