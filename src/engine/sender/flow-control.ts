/** How the rate of a transfer adapts to congestion. */
import { TokenBucket } from "./token-bucket.ts";

/**
 * How fast one transfer may go (PROTOCOL.md 5.5). The windows of the members keep it from overrunning a receiver.
 * This keeps it below what the network carries, where a switch or a slower link on the way throws datagrams away.
 *
 * The loop, and why it is as it is:
 *
 * 1. There is no rate at first. On most networks the line of the sender is the slowest part, and a rate that had to
 *    grow would cost a small push most of its time.
 * 2. Loss is measured, not guessed from what is asked for: a fragment that one member has asked for, another one
 *    need not ask for. Each member counts what arrives, so two of its reports tell which share of what was sent
 *    between them got lost. The member that lost most decides, because the others may just lie before the slow part
 *    of the network.
 * 3. Far more loss than usual means congestion. The rate becomes a little less than what got through: that is what
 *    the network carries, so one step is enough where other protocols halve their rate several times.
 * 4. Without a rate, loss has to last for a second interval first. A member whose process is busy reads late: what
 *    seems lost is then in its next report. More than half lost needs no second look, for every moment costs as
 *    much in repairs as it brings.
 * 5. Loss that does not depend on the rate, such as that of a bad cable, is no reason to be slow. Whether it does
 *    is tried out: the first loss after the rate was lowered counts as usual, unless it is more than what was found
 *    so before, and lowering the rate has made it less. Then it is lowered further.
 * 6. After that the rate grows, and each step doubles the next one. So it stays near what the network carried for a
 *    while, and is out of a bottleneck that is gone within two seconds. Near the rate of the last congestion it
 *    grows slowly: a queue that fills there shows as loss only when it is full, and much of what follows is lost,
 *    too.
 *
 * The numbers were tried in the simulator (test/simulation/bottleneck.test.ts): lines of 100 and 300 Mbit/s with
 * queues of 64 and 256 KiB after one of 1 Gbit/s, without loss and with 1 %. With these numbers a transfer takes
 * longer than the slow line needs for its data by 2 to 8 %, and sends 5 to 6 % of the data more than the loss makes
 * necessary. With 5 % of loss it is 10 to 16 %, of which 9 to 11 % are what has to be sent again. The comments below
 * say how other numbers compare with that.
 */

/**
 * Where no rate has been set yet, less loss than this is never congestion. Members that lose 12 % by themselves
 * have to be served at full speed, and with a bound of 8 % they are not.
 */
const CONGESTION_LOSS = 0.15;

/**
 * How much more than usual may get lost before it means congestion. Without a rate much, because losses come in
 * bursts and a rate set for nothing costs seconds; it only matters beside CONGESTION_LOSS where more than 5 % are
 * usual. With a rate little, because the queue before the bottleneck is full by then: with 10 % instead of 4 %, 9 %
 * of the data are sent again; with 2 % nothing gets better.
 */
const EXCESS_LOSS = 0.1;
const EXCESS_LOSS_WITH_RATE = 0.04;

/**
 * The rate becomes this share of what got through, so that the queue before the bottleneck can empty. With all of
 * it the queue stays full, with 85 % a transfer takes 9 to 15 % longer than the slow line needs.
 */
const DECREASE = 0.96;

/**
 * Loss that became less by a tenth when the rate was lowered depends on the rate. A smaller difference is chance
 * where hundreds of fragments are counted; from a quarter to 3 % the simulator shows no difference.
 */
const BETTER = 0.9;

/** So little loss is usual anywhere. With 0.5 %, lines that lose 1 % by themselves are slowed down for nothing. */
const NO_LOSS = 0.02;

/**
 * The first growth after the rate was lowered, and the largest one: each is twice the one before. With 5 % at
 * first, more is sent again. With 20 % at most, the way back to ten times the rate takes a third of a second more;
 * with 100 % it is hardly shorter.
 */
const FIRST_GROWTH = 0.01;
const LARGEST_GROWTH = 0.5;

/**
 * While the rate is below so many times that of the last congestion, growth is no more than this: a queue may be
 * filling. With growth by 15 %, a third more is sent again before a queue of 256 KiB; with 2 %, or with 1.4 times,
 * it takes longer to come back when the bottleneck is gone.
 */
const NEAR_CEILING = 1.15;
const GROWTH_NEAR_CEILING = 0.04;

/**
 * A rate of which less than this share was used is no bound and need not grow, unless it has held up this transfer
 * for that share of the time: a busy sender comes too late for what it might send. In the simulated bottlenecks
 * nothing depends on them (0.4 and 0.95, 0.2 and 0.9 give the same): their senders are not busy.
 */
const USED_SHARE = 0.7;
const HELD_SHARE = 0.5;

/**
 * How often the rate is judged. At 1 Gbit/s a few members report several times in it, and each of very many about
 * once. With 250 ms the rate comes back too late when a bottleneck is gone; with 40 ms little is gained.
 */
const INTERVAL_MS = 100;

/**
 * When a member has lost half of a thousand fragments, there is nothing to wait for. A thousand are 12 ms at 1
 * Gbit/s, far more than the burst that a busy switch drops. With 4,000 of them twice as much is sent again, with a
 * loss of 80 % up to five times as much.
 */
const URGENT_LOSS = 0.5;
const URGENT_SPAN = 1000;

/** Of a shorter time, nothing tells how much was sent in it. */
const URGENT_MS = 1;

/**
 * The rate is not judged before a member has reported so many fragments. Of 256 with a loss of 10 %, chance makes it
 * 2 % more or less: half of what means congestion. With 1,000 a slow transfer would be judged too rarely.
 */
const LEAST_SPAN = 256;

/**
 * However much is lost, some has to be sent to find out when it is better again. At 1,000 fragments a second, 12
 * Mbit/s, LEAST_SPAN takes a quarter of a second.
 */
const LEAST_PER_MS = 1;

/**
 * Where nothing was sent for so long before half of a thousand fragments was lost, there was nothing to send yet: that time says
 * nothing of the network. In the simulator, a rate from an interval with such a pause was a fifth of what the line carried. With
 * less loss the queue before the bottleneck has taken most of what was sent, and pauses are the time in which it empties.
 */
const PAUSE_MS = 10;

/** What a member has told in an interval: how many fragments were sent, and how many of them it has received. */
interface IntervalReport {
  span: number;
  received: number;
}

/**
 * The rate of one transfer. It learns of everything that is sent and reported, and says when the next send may go.
 */
export class FlowControl {
  private readonly bucket = new TokenBucket(Infinity);
  private readonly nodeBucket: TokenBucket;
  private growth = FIRST_GROWTH;
  /** What the network carried when it was congested last, in fragments a millisecond. */
  private ceilingPerMs = 0;
  /** The share that gets lost whatever the rate is; undefined while that has to be found out again. */
  private usualLoss: number | undefined = 0;
  /**
   * What it was when it was found out last, by lowering the rate. Loss that became larger by that, or was there without a rate, may
   * be that of a congestion whose queue was still filling when it was measured.
   */
  private provenLoss = 0;
  /** The share that was lost before the rate was lowered. */
  private lossBefore = 0;
  private intervalStartMs: number;
  private sentInInterval = 0;
  private sentInAll = 0;
  /** Reports of what was sent before this many fragments say nothing of the present rate. */
  private judgedFrom = 0;
  /** So much is lost that the rate is judged at once. */
  private isUrgent = false;
  /**
   * Too much seems to be lost. Fragments that were only late, on their way or in a busy member, come with the next
   * report.
   */
  private isSuspicious = false;
  /** For how long the rate has held up this transfer in the interval, and since when it does. */
  private heldMs = 0;
  private heldSinceMs: number | undefined;
  /** Pauses in the interval, before its last send; when that was, and when a send was asked for last. */
  private pausedMs = 0;
  private lastSendMs = 0;
  private askedMs = 0;
  private readonly reports = new Map<string, IntervalReport>();

  /** @param nodeBucket holds the configured rate, for all transfers of this node together */
  constructor(nodeBucket: TokenBucket, nowMs: number) {
    this.nodeBucket = nodeBucket;
    this.intervalStartMs = nowMs;
    this.lastSendMs = nowMs;
    this.askedMs = nowMs;
  }

  /** How many fragments one send may hold. */
  get largestSend(): number {
    return Math.min(this.bucket.largestSend, this.nodeBucket.largestSend);
  }

  /** The present bound in fragments a second; Infinity where there is none. */
  get fragmentsPerSecond(): number {
    return Math.min(this.bucket.fragmentsPerMs, this.nodeBucket.fragmentsPerMs) * 1000;
  }

  /** Whether the network has turned out to be slower than this sender. */
  get isSlowed(): boolean {
    return this.bucket.fragmentsPerMs !== Infinity;
  }

  /** When so many fragments may be sent, in milliseconds; not later than now means at once. */
  readyMs(fragments: number, nowMs: number): number {
    const intervalMs = this.isSuspicious ? 2 * INTERVAL_MS : INTERVAL_MS;
    const passedMs = nowMs - this.intervalStartMs;
    if ((this.isUrgent && passedMs >= URGENT_MS) || passedMs >= intervalMs) this.judge(nowMs);
    this.askedMs = nowMs;
    const readyMs = this.bucket.readyMs(fragments, nowMs);
    this.heldMs += nowMs - (this.heldSinceMs ?? nowMs);
    this.heldSinceMs = readyMs > nowMs ? nowMs : undefined;
    return Math.max(readyMs, this.nodeBucket.readyMs(fragments, nowMs));
  }

  /** Fragments go out now. */
  noteSent(fragments: number): void {
    this.bucket.take(fragments);
    this.nodeBucket.take(fragments);
    this.sentInInterval += fragments;
    this.sentInAll += fragments;
    const pauseMs = this.askedMs - Math.max(this.lastSendMs, this.intervalStartMs);
    if (pauseMs >= PAUSE_MS) this.pausedMs += pauseMs;
    this.lastSendMs = this.askedMs;
  }

  /** A control message goes out. It is not held up, but leaves less for fragments. */
  noteAnnounced(): void {
    this.nodeBucket.take(1);
  }

  /**
   * Notes a member's report.
   *
   * @param seenBefore how many fragments had been sent at its last report, and `seen` at this one
   * @param received how many of those between arrived
   */
  noteReport(member: string, seenBefore: number, seen: number, received: number): void {
    if (seenBefore < this.judgedFrom || seen <= seenBefore) return;
    const noted = this.reports.get(member) ?? { span: 0, received: 0 };
    noted.span += seen - seenBefore;
    noted.received += received;
    this.reports.set(member, noted);
    if (noted.span >= URGENT_SPAN && noted.received < noted.span * (1 - URGENT_LOSS)) this.isUrgent = true;
  }

  /** Looks at the member that lost most, and sets the rate again; it puts that off if too little was reported. */
  private judge(nowMs: number): void {
    const worst = this.worstReport();
    if (worst === undefined) {
      this.restartInterval(nowMs);
      return;
    }
    if (worst.span < LEAST_SPAN) return;
    const intervalMs = nowMs - this.intervalStartMs;
    const achievedPerMs = this.sentInInterval / intervalMs;
    const loss = Math.max(0, 1 - worst.received / worst.span);
    if (!this.isTooMuch(loss)) {
      const isHeld = this.heldMs >= intervalMs * HELD_SHARE;
      this.speedUp(isHeld ? this.bucket.fragmentsPerMs : achievedPerMs, loss, nowMs);
    } else if (this.isSlowed || this.isUrgent || this.isSuspicious) {
      const pausedMs = this.isUrgent && !this.isSlowed ? this.pausedMs : 0;
      this.slowDown(this.sentInInterval / Math.max(URGENT_MS, intervalMs - pausedMs), loss, nowMs);
    } else {
      this.isSuspicious = true;
      return;
    }
    this.restartInterval(nowMs);
  }

  /** The report of the member that lost the largest share. */
  private worstReport(): IntervalReport | undefined {
    let most = 0;
    for (const { span } of this.reports.values()) most = Math.max(most, span);
    let worst: IntervalReport | undefined;
    for (const one of this.reports.values()) {
      // A member that has reported little so far may just have been unlucky.
      if (one.span < most / 2) continue;
      if (worst === undefined || one.received / one.span < worst.received / worst.span) worst = one;
    }
    return worst;
  }

  /** Whether so much loss means that the rate is too high. */
  private isTooMuch(loss: number): boolean {
    if (this.usualLoss === undefined)
      return loss > this.provenLoss + NO_LOSS && loss < this.lossBefore * BETTER;
    if (this.isSlowed) return loss > this.usualLoss + EXCESS_LOSS_WITH_RATE;
    return loss > Math.max(CONGESTION_LOSS, this.usualLoss + EXCESS_LOSS);
  }

  /** Sets the rate to what the network carries: what got through, without the loss that is usual. */
  private slowDown(achievedPerMs: number, loss: number, nowMs: number): void {
    const usualLoss = this.usualLoss ?? this.provenLoss;
    const isProven = usualLoss <= CONGESTION_LOSS && usualLoss * BETTER < this.lossBefore;
    if (this.isSlowed && isProven) this.provenLoss = usualLoss;
    const carriedPerMs = (achievedPerMs * (1 - loss)) / (1 - usualLoss);
    this.bucket.setRate(Math.max(LEAST_PER_MS, carriedPerMs * DECREASE), nowMs);
    this.growth = FIRST_GROWTH;
    this.ceilingPerMs = carriedPerMs;
    this.usualLoss = undefined;
    this.lossBefore = loss;
    this.judgedFrom = this.sentInAll;
  }

  /** Nothing more than usual is lost: lets the usual loss follow, and the rate grow where it is a bound. */
  private speedUp(achievedPerMs: number, loss: number, nowMs: number): void {
    // A mean over the last intervals: each moves it by a quarter of the way.
    this.usualLoss = this.usualLoss === undefined ? loss : this.usualLoss + (loss - this.usualLoss) / 4;
    const { fragmentsPerMs } = this.bucket;
    if (fragmentsPerMs === Infinity || achievedPerMs < fragmentsPerMs * USED_SHARE) return;
    this.bucket.setRate(fragmentsPerMs * (1 + this.growth), nowMs);
    const isNear = fragmentsPerMs < this.ceilingPerMs * NEAR_CEILING;
    this.growth = Math.min(isNear ? GROWTH_NEAR_CEILING : LARGEST_GROWTH, this.growth * 2);
  }

  private restartInterval(nowMs: number): void {
    this.intervalStartMs = nowMs;
    this.sentInInterval = 0;
    this.isUrgent = false;
    this.isSuspicious = false;
    this.heldMs = 0;
    this.pausedMs = 0;
    this.reports.clear();
  }
}
