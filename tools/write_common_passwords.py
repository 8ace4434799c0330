"""Write src/tallystick/access/people/common_passwords.txt: what is tried first against every account.

Well-known passwords and words come from WORDS, written down here; the rules add what people make of them when at least
twelve characters are demanded. `is_common` folds case, digits and signs at the ends, look-alike digits and repetition,
so that the file needs none of these variants.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

TARGET = Path(__file__).parent.parent / "src/tallystick/access/people/common_passwords.txt"

WORDS = """
password passwort kennwort geheim motdepasse contrasena contrasenya wachtwoord losenord parola senha salasana heslo
haslo jelszo sifre parool lozinka passord adgangskode secret secretpassword letmein welcome welkom willkommen bienvenue
bienvenido benvenuto admin administrator administrateur administrador root rootroot superuser sysadmin operator master
manager default changeme changeit changemenow changethis temporary temppass temporal guest user username login logon
signin signon access account security secure private trustno trustnoone nothing whatever anything something nopassword
mypassword yourpassword thepassword newpassword oldpassword testpassword userpassword adminpassword rootpassword
passphrase passcode passwd passkey test testing tester testtest demo sample example monkey dragon tiger lion eagle
falcon wolf bear panther cheetah leopard jaguar dolphin turtle rabbit kitten puppy horse chicken butterfly spider snake
football baseball basketball soccer hockey tennis golf cricket volleyball rugby handball swimming wrestling boxing
superman batman spiderman ironman wolverine captain captainamerica starwars startrek skywalker darthvader yoda gandalf
frodo hobbit matrix terminator rambo rocky avatar naruto pokemon pikachu mario luigi zelda minecraft fortnite roblox
warcraft starcraft counterstrike callofduty halflife doom quake tetris sonic sega nintendo playstation xbox
iloveyou iloveyousomuch iloveu ilovegod iloveme loveme lovely lover loveyou loveforever truelove mylove babylove
sweetheart sweetie honey honeybee darling princess prince queen king angel angels heaven jesus jesuschrist christ god
godisgood blessed faith hope grace church bible prayer satan devil lucifer buddha krishna allah mohammed
sunshine rainbow summer winter spring autumn flower flowers rose tulip orchid daisy lily violet jasmine moonlight
starlight midnight daylight morning evening holiday vacation christmas easter halloween birthday happy happiness
happybirthday happynewyear smile laughter friend friends friendship bestfriend bestfriends family mother father sister
brother daughter son mommy daddy grandma grandpa baby babygirl babyboy cutie hottie sexy beautiful gorgeous pretty
handsome cool awesome amazing fantastic perfect forever always together freedom liberty peace justice victory winner
champion champions legend hero hunter shadow ninja samurai warrior knight soldier general pirate viking wizard witch
magic mystery phantom ghost zombie vampire monster demon dragonfly phoenix thunder lightning storm tornado hurricane
earthquake volcano ocean pacific atlantic mountain river island desert forest jungle garden beach sunset sunrise
coffee chocolate cookie cookies cupcake cheese cheesecake pizza burger banana apple orange cherry strawberry blueberry
pineapple watermelon lemon peanut butter peanutbutter popcorn candy sugar pepper ginger vanilla cinnamon whiskey vodka
tequila budweiser heineken guinness cocacola pepsi starbucks
mercedes ferrari porsche lamborghini mustang corvette camaro chevrolet chevy toyota honda yamaha suzuki kawasaki harley
harleydavidson nissan mazda subaru volkswagen audi bmw jaguarxj volvo
computer internet keyboard monitor laptop desktop server network website facebook twitter instagram youtube google gmail
yahoo hotmail outlook microsoft windows linux ubuntu debian redhat apple macintosh iphone samsung nokia android oracle
database mysql postgres postgresql mongodb redis docker kubernetes jenkins gitlab github jira confluence cisco router
switch firewall raspberry raspberrypi arduino python java javascript hacker hacking hackme
london paris berlin madrid roma milano lisboa barcelona amsterdam bruxelles zurich vienna munich hamburg frankfurt
stockholm oslo copenhagen helsinki dublin edinburgh glasgow manchester liverpool chelsea arsenal tottenham everton
newcastle juventus intermilan acmilan realmadrid atletico valencia sevilla benfica sporting porto ajax feyenoord
bayern bayernmunchen dortmund schalke galatasaray fenerbahce besiktas flamengo corinthians palmeiras santos boca
riverplate newyork losangeles chicago houston dallas boston seattle atlanta detroit miami denver phoenixsuns texas
california florida america unitedstates canada toronto montreal vancouver mexico brasil argentina colombia chile peru
venezuela espana portugal france deutschland england ireland scotland italia russia ukraine poland turkey india pakistan
china beijing shanghai hongkong japan tokyo korea vietnam thailand bangkok indonesia jakarta philippines manila
australia sydney melbourne newzealand africa nigeria kenya egypt
cowboys steelers packers patriots eagles giants broncos raiders redskins dolphins vikings yankees redsox dodgers cubs
cardinals braves lakers celtics bulls warriors knicks rangers bruins penguins
michael jennifer jessica ashley amanda daniel matthew joshua andrew justin robert thomas william anthony nicole michelle
christopher elizabeth stephanie samantha alexander alexandra alexandre charlie charlotte jordan taylor hannah
victoria patrick richard benjamin nicholas nathan brandon austin dylan jackson maggie buster ginger bailey cooper
sophie chloe olivia emma isabella sebastian gabriel rafael francisco fernando alejandro antonio carlos eduardo roberto
ricardo miguel juan jose maria marina carolina daniela gabriela valentina camila andrea claudia patricia monica
veronica cristina katarina natasha svetlana vladimir dmitri sergey nikolai mohamed ahmed fatima abdullah
stephen steven jonathan timothy gregory kenneth raymond douglas harold gerald lawrence margaret katherine catherine
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
october november december montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar maerz oktober
dezember sommer fruehling herbst hallo hallohallo schatz schatzi liebe ichliebedich fussball sonnenschein blume
schmetterling drache passwoerter sicherheit deutschland computerclub bonjour soleil jetaime loulou doudou chouchou
azerty marseille princesse amour toujours hola teamo tequiero estrella mariposa corazon amorcito angelito
ciao amore tiamo stella gattina olaola obrigado amorzinho saudade privet lyubov
correcthorsebatterystaple correcthorse horsebattery batterystaple thisisapassword thisismypassword thisisasecret
letmeinplease openthedoor opensesame abracadabra hocuspocus supercalifragilisticexpialidocious itsasecret
donttellanyone dontforget idontknow icantremember rememberme forgetmenot passwordispassword mypasswordispassword
whatismypassword nopasswordneeded enterpassword typepassword yourpasswordhere insertpasswordhere changeyourpassword
thequickbrownfox quickbrownfox loremipsum loremipsumdolor tobeornottobe maytheforcebewithyou winteriscoming
valarmorghulis onceuponatime helloworld hellokitty helloagain goodmorning goodnight goodluck goodbye thankyou
letsgo letitbe yellowsubmarine heyjude bohemianrhapsody hotelcalifornia stairwaytoheaven smokeonthewater metallica
nirvana ironmaiden blacksabbath ledzeppelin pinkfloyd queenqueen acdc slipknot linkinpark greenday coldplay radiohead
rammstein eminem tupac beyonce rihanna shakira madonna elvis elvispresley beatles thebeatles rollingstones
company companyname business office work working workwork employee customer support helpdesk service services
finance accounting marketing sales payroll purchasing production development developer engineering engineer
tallystick audit auditor auditing compliance ledger logging
"""

#: Rows and columns of keyboards, and counting, walked in both directions.
ROWS = (
    "1234567890", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm",
    "wxcvbn", "abcdefghijklmnopqrstuvwxyz", "qazwsxedcrfvtgb", "qazwsxedc", "1qaz2wsx3edc4rfv5tgb", "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0", "a1b2c3d4e5f6g7h8", "1a2b3c4d5e6f7g8h", "zaq12wsxcde34rfv", "!qaz@wsx#edc$rfv",
)  # fmt: skip
WALK_CHARS_MIN = 6
JOINED = (
    "password",
    "admin",
    "welcome",
    "letmein",
    "qwerty",
    "secret",
    "iloveyou",
    "changeme",
    "login",
    "test",
    "user",
    "root",
)


def walks() -> set[str]:
    """Return every stretch of a row from its beginning, forwards and backwards, and rows one after another."""
    found = {
        row[:length]
        for source in ROWS
        for row in (source, source[::-1])
        for length in range(WALK_CHARS_MIN, len(row) + 1)
    }
    letters = [row for row in ROWS if row.isalpha() and len(row) < 12]
    found |= {first + second for first, second in product(letters, letters) if first != second}
    found |= {"1234567890" + row for row in letters} | {row + "1234567890" for row in letters}
    return found | {digit * 12 for digit in "0123456789"}


def main() -> None:
    """Write the file."""
    words = set(WORDS.split())
    joined = {first + second for first, second in product(JOINED, JOINED) if first != second}
    lines = sorted(words | joined | walks())
    head = (
        "# Common passwords; made by tools/write_common_passwords.py, which says how. One a line, in small letters.\n"
    )
    TARGET.write_text(head + "\n".join(lines) + "\n", "utf-8")
    print(f"{len(lines)} entries")


if __name__ == "__main__":
    main()
