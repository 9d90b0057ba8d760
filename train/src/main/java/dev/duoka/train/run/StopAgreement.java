package dev.duoka.train.run;

import dev.duoka.engine.parallel.Collectives;
import java.util.function.BooleanSupplier;

/** How the ranks stop at the same point, whichever of them saw the request first. */
record StopAgreement(Collectives ranks, BooleanSupplier requested) {
  /** Whether any rank was asked to stop. Collective. */
  boolean reached() {
    double[] requests = {requested.getAsBoolean() ? 1 : 0};
    ranks.allReduce(requests);
    return requests[0] > 0;
  }
}
