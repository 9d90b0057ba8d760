package dev.duoka.train.run;

import dev.duoka.comm.Communicator;
import java.util.function.BooleanSupplier;

/** How the ranks stop at the same point, whichever of them saw the request first. */
record StopAgreement(Communicator ranks, BooleanSupplier requested) {
  /** Whether any rank was asked to stop. Collective. */
  boolean reached() {
    return ranks.agreement().any(requested.getAsBoolean());
  }
}
