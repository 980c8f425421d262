"""What the order of messages at Massive does not say, and must not be taken to say."""

from __future__ import annotations

from gexterm.dealers.evidence import Evidence
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from tests.feeds.massive.made import TODAY, Hand, protocol, quote, symbol, trade

ATM = symbol("SPXW", TODAY, "C", 6600)


def test_a_print_told_after_the_quote_it_led_to_is_judged_by_the_quote_before_it() -> None:
    hand = Hand(protocol())
    hand.start()
    hand.hear(quote(ATM, 9.0, 9.2, ms=1000))
    hand.flush()
    # Bought at 5.1; the offer went, and both its successors are told before the print.
    hand.hear(
        quote(ATM, 4.9, 5.1, ms=1100),
        quote(ATM, 5.1, 5.3, ms=1121),
        quote(ATM, 5.2, 5.4, ms=1122),
        trade(ATM, 5.1, 7, q=5, ms=1120),
    )
    hand.flush()
    engine = Engine(EngineSettings())
    for event in hand.events:
        engine.apply(event)
    assert engine.signer is not None
    engine.signer.settle()
    tape = engine.signer.tape
    assert (tape.evidence[0], tape.p_buy[0] < 0.5) == (Evidence.AT_QUOTE, True)
    # What stands afterwards is the newest all the same.
    assert engine.chain.column("bid")[hand.fed._catalogue.index[ATM]] == 5.2
