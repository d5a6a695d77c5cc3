"""Words that must not be confused: opposites, units, dates, and names often written in lowercase."""

from __future__ import annotations


def _parse_groups(text: str) -> list[frozenset[str]]:
    """Parse one group per line; members are separated by commas."""
    return [frozenset(w.strip() for w in line.split(",")) for line in text.strip().splitlines()]


def _parse_terms(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _parse_opposites(text: str) -> list[tuple[frozenset[str], frozenset[str]]]:
    """Parse one pair of opposites per line: words of one side / words of the other."""
    lines = (line.split("/") for line in text.strip().splitlines())
    return [(frozenset(a.split()), frozenset(b.split())) for a, b in lines]


OPPOSITES = _parse_opposites("""
turn_on switch_on enable activate / turn_off switch_off disable deactivate stop
with / without excluding exclude
include incl included / exclude excluded extra
before / after once
increase raise / decrease reduce lower
upgrade / downgrade
open create register / close delete terminate
make place join / cancel
join enter / leave
start begin activate / stop end cancel terminate
buy purchase buyer / sell seller
send sent sender / receive receiver recipient
add / remove delete
install / uninstall remove
turn_up / turn_down
speed_up / slow_down
zoom_in / zoom_out
log_in login sign_in signin / log_out logout sign_out signout
check_in checkin / check_out checkout
pick_up pickup / drop_off dropoff
pay_in deposit / pay_out take_out withdraw
money_in / money_out
arrive arrival / depart departure
enter / exit leave
pause suspend / resume
upload / download
import / export
hide / show
archive / restore unarchive
accept accepted approve approved / decline declined refuse refused reject rejected deny denied
borrow / lend save
incoming inbound / outgoing outbound
domestic national / international abroad
within inside / outside
minimum min least / maximum max most
low lowest cheapest cheap / high highest expensive dearest
early earlier earliest / late later latest
first / last
above over / below under
more / less fewer
new / used old existing
adult / child children kid
online / offline
public / private
sent / received
one-way single / return round
left / right
front / back rear
charge / discharge
undo / redo
encrypt / decrypt
merge join / split
gain earn / lose
landlord / tenant
employee / employer
hire rent / hire_out rent_out
allow allowed permit permitted / forbid forbidden prohibit prohibited ban banned
renew extend / terminate cancel end
lock / unlock
mute / unmute
""")
"""Base forms; compounds are joined by "_"."""

UNITS = _parse_groups("""
kg kilogram kilo, g gram, lb pound, oz ounce, stone, ton tonne
km kilometre kilometer, mile, m metre meter, cm centimetre centimeter, mm millimetre, inch, ft foot feet, yard
litre liter, ml millilitre, gallon, pint
second, minute, hour hourly, day daily, night nightly, week weekly, month monthly, quarter quarterly, year yearly annual
celsius, fahrenheit
kb, mb megabyte, gb gigabyte, tb terabyte, mbit mbps, gbit gbps
$ dollar usd, € euro eur, £ gbp pound sterling, ₹ rupee inr pkr, ¥ yen, franc chf, % percent percentage
bar, psi
watt, volt, amp
acre, hectare, sqm square
""")
"""One quantity per line; commas separate units, spaces the names of one unit."""

DATES = _parse_groups("""
monday mon, tuesday tue, wednesday wed, thursday thu, friday fri, saturday sat, sunday sun, weekend, weekday workday
january jan, february feb, march, april apr, may_, june jun, july jul, august aug, september sep, october oct, november nov, december dec
spring, summer, autumn fall_, winter
christmas xmas, easter, new_year, boxing_day, good_friday, thanksgiving, eid, diwali, halloween
today, tomorrow, yesterday, tonight
this_week this_month this_year, next_week next_month next_year, last_week last_month last_year
morning, noon, afternoon, evening, midnight, night_
antemeridiem, pm
breakfast, lunch, dinner
""")

KINDS_OF_THING = _parse_groups("""
paypal, klarna, visa, mastercard, amex american_express, maestro, apple_pay, google_pay, cash, cheque check_, bank_transfer, credit_card, debit_card, gift_card
dhl, fedex, ups_, usps, hermes, dpd
android, ios iphone ipad, windows, mac macos, linux
chrome, firefox, safari, edge_
outlook, thunderbird, gmail
google, facebook, twitter, instagram, linkedin, whatsapp, youtube, netflix, telegram
alexa, siri
word, excel, powerpoint
pdf, csv, xlsx, json
bronze, silver, gold, platinum
red, blue, green, black, white, yellow, brown, grey gray, pink, purple, orange
small, medium, large
student, senior, military, child_
wife husband, son, daughter, mother, father
dog, cat
taxi cab, train, bus coach, flight plane, ferry, tram
north northern, south southern, east eastern, west western
password, pin, username
e-mail email, phone telephone, fax
invoice, contract, receipt
lost, damaged broken, stolen
vegan, vegetarian, halal, kosher
gluten, nut, lactose
airport, station, port
""")
"""Siblings: a question about one member of a line is not about another."""

PLACES = _parse_groups("""
argentina, australia, austria, bangladesh, belgium, brazil, bulgaria, canada, chile, china, colombia, croatia, cyprus, denmark, egypt, england, estonia, finland, france, germany, greece, hungary, iceland, india, indonesia, iran, iraq, ireland, israel, italy, japan, kenya, korea, latvia, lithuania, luxembourg, malaysia, malta, mexico, morocco, nepal, netherlands holland, nigeria, norway, oman, pakistan, peru, philippines, poland, portugal, qatar, romania, russia, scotland, serbia, singapore, slovakia, slovenia, spain, sweden, switzerland, thailand, turkey türkiye, uae emirates, uk britain, ukraine, usa america, vietnam, wales
amsterdam, athens, bangkok, barcelona, beijing, berlin, birmingham, boston, bristol, brussels, budapest, cambridge, chicago, copenhagen, dallas, delhi, doha, dubai, dublin, edinburgh, frankfurt, geneva, glasgow, hamburg, helsinki, istanbul, karachi, lahore, islamabad, leeds, lisbon, liverpool, london, lyon, madrid, manchester, melbourne, miami, milan, moscow, mumbai, munich, naples, new_york, oslo, oxford, paris, prague, rome, seattle, shanghai, stockholm, sydney, tokyo, toronto, vienna, warsaw, york, zurich
europe, africa, asia, oceania
""")
NUMBERS = dict(
    line.split()
    for line in """
zero 0
two 2
three 3
four 4
five 5
six 6
seven 7
eight 8
nine 9
ten 10
eleven 11
twelve 12
dozen 12
fifteen 15
twenty 20
thirty 30
forty 40
fifty 50
hundred 100
thousand 1000
second 2
third 3
fourth 4
fifth 5
sixth 6
one 1
single 1
double 2
half 0.5
""".strip().splitlines()
)
NEGATIONS = _parse_terms("""
not no never without cannot cant dont doesnt didnt isnt arent wasnt werent wont wouldnt shouldnt couldnt
havent hasnt hadnt nor neither non unable nobody nothing failed fails excluding except
""")
SAME = _parse_groups("""
delivery, shipping, postage, shipment, dispatch
cost, price, fee, charge, rate, much, pay, expensive, amount
cancel, stop, end, terminate, close, delete, remove, disable, deactivate
buy, purchase, order, get
change, edit, update, modify, alter, switch, amend, set
return, send_back, refund, money_back
find, see, view, look, show, check, where, locate, display, list, give, provide, print, tell, watch, suggest
fix, repair, solve, resolve, troubleshoot, problem, issue, trouble, error
begin, start, open, create, make, register, sign_up, set_up, add
get, receive, obtain, have, access
wifi, wi-fi, internet, wlan
offer, provide, have, available, offered, provided, serve, include, included, there
possible, able, allow, allowed, permit, permitted, can, way, how
parcel, package, shipment, order
shop, store, branch
hotel, guesthouse, lodging, place, room
contact, reach, call, phone, speak, talk
person, human, agent, someone, representative, operator, people
account, profile
picture, photo, image
app, application, program, software
laptop, computer, pc
mobile, cell, phone, smartphone
use, using, used, work, run
need, want, require, required, must, necessary, should
""")
"""Words that may replace each other in otherwise equal questions."""
UNDOING = _parse_terms("""
remove revoke undo stop cancel delete not lift reverse rid without
""")
VAGUE = _parse_terms("""
real really sure now please just simply all any own custom specific directly currently okay ok then only
actual actually also still yet already quickly easily easy simple proper properly exactly certain
particular various several multiple many some other another new different same good best thing things
someone anyone somebody anybody people person user users guy one ones bad slow current mine know tell
want like would wish love try going go it's i'm i'd i'll what's whats who's how's today information info
details detail way ways option options possibility long procedure means method know explain help happen
happens do doing done made making let put give keep take bring kind type sort certain question ask asking
talk quick accept accepted
""")
"""Words that name no thing, so exchanging them does not change the question."""
