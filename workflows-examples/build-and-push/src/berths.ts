import { z } from "zod";

export const bookingRequest = z.object({
  vessel: z.string().min(1).max(80),
  lengthMetres: z.number().positive().max(400),
  arrival: z.iso.datetime(),
  departure: z.iso.datetime(),
});
export type BookingRequest = z.infer<typeof bookingRequest>;

export interface Berth {
  id: string;
  lengthMetres: number;
}

export interface Booking extends BookingRequest {
  id: number;
  berth: string;
}

const overlaps = (a: BookingRequest, b: BookingRequest): boolean =>
  Date.parse(a.arrival) < Date.parse(b.departure) && Date.parse(b.arrival) < Date.parse(a.departure);

/** The harbour's bookings. Gives a vessel the shortest free berth that is long enough. */
export class Harbour {
  private readonly bookings: Booking[] = [];
  private nextId = 1;

  constructor(private readonly berths: readonly Berth[]) {}

  list(): readonly Booking[] {
    return this.bookings;
  }

  book(request: BookingRequest): Booking | undefined {
    if (Date.parse(request.departure) <= Date.parse(request.arrival)) return undefined;
    const berth = this.berths
      .filter((candidate) => candidate.lengthMetres >= request.lengthMetres)
      .filter((candidate) => !this.bookings.some((b) => b.berth === candidate.id && overlaps(b, request)))
      .sort((a, b) => a.lengthMetres - b.lengthMetres)[0];
    if (!berth) return undefined;
    const booking = { ...request, id: this.nextId++, berth: berth.id };
    this.bookings.push(booking);
    return booking;
  }

  cancel(id: number): boolean {
    const index = this.bookings.findIndex((booking) => booking.id === id);
    if (index < 0) return false;
    this.bookings.splice(index, 1);
    return true;
  }
}
